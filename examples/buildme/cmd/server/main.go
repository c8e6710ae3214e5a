// Command server serves the phrasebook over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/buildme/internal/api"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version = "v0.0.0+unknown"

// shutdownTimeout is how long open requests may take once the server is told to stop.
const shutdownTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run serves until ctx ends and returns the exit code: 0 after an orderly stop,
// 1 if the server failed, 2 for wrong usage. The log goes to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(stderr)
	address := flags.String("address", ":8080", "listen on this `host:port`; port 0 picks a free one")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	logger := log.New(stderr, "", log.LstdFlags)
	if flags.NArg() > 0 {
		logger.Printf("unexpected argument %q; see --help", flags.Arg(0))
		return 2
	}
	if *showVersion {
		if _, err := fmt.Fprintln(stdout, version); err != nil {
			return 1
		}
		return 0
	}
	logger.Printf("Version: %s", version)
	if err := serve(ctx, *address, logger); err != nil {
		logger.Printf("server failed: %v", err)
		return 1
	}
	return 0
}

// serve answers requests on address until ctx ends, then waits for the open ones.
func serve(ctx context.Context, address string, logger *log.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           api.New(version, logger),
		ErrorLog:          logger,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logger.Printf("Listening on %s", listener.Addr())

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Print("Shutting down")
	// ctx has ended already; the open requests get a deadline of their own.
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return server.Shutdown(deadline)
}
