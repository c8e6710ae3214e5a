// Command client asks a buildme server for greetings and translations.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"example.com/buildme/internal/client"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version = "v0.0.0+unknown"

const usage = `Usage: client [flags] COMMAND

Commands:
  greet NAME [LANGUAGE]       greet somebody
  translate PHRASE LANGUAGE   translate an English phrase
  phrases                     list the phrases and languages that the server knows
  server-version              print the server's version

Flags:
`

// errUsage is returned for a command line that makes no sense.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command and returns the exit code: 0 if it worked, 1 if the
// server could not be reached or refused, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := execute(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return report(stderr, err, 2)
	default:
		return report(stderr, err, 1)
	}
}

// report prints err for people and returns code.
func report(stderr io.Writer, err error, code int) int {
	if _, writeErr := fmt.Fprintf(stderr, "client: %v\n", err); writeErr != nil {
		return 1
	}
	return code
}

// execute parses args and runs the command that they name.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		if _, err := io.WriteString(stderr, usage); err == nil {
			flags.PrintDefaults()
		}
	}
	address := flags.String("server", "http://localhost:8080", "`URL` of the server")
	timeout := flags.Duration("timeout", 10*time.Second, "how long to wait for an answer")
	showVersion := flags.Bool("version", false, "print the client's own version and exit")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *showVersion {
		_, err := fmt.Fprintln(stdout, version)
		return err
	}
	c, err := client.New(*address, &http.Client{Timeout: *timeout})
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	text, err := ask(ctx, c, flags.Args())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}

// ask sends the command to the server and returns what to print.
// The error wraps errUsage if there is no such command or its arguments do not fit.
func ask(ctx context.Context, c *client.Client, words []string) (string, error) {
	if len(words) == 0 {
		return "", fmt.Errorf("%w: no command given; see --help", errUsage)
	}
	name, args := words[0], words[1:]
	command, ok := commands[name]
	if !ok || len(args) < command.minArgs || len(args) > command.maxArgs {
		return "", fmt.Errorf("%w: no command %q with %d arguments; see --help", errUsage, name, len(args))
	}
	return command.run(ctx, c, args)
}

// command is what one word of the command line does.
type command struct {
	minArgs, maxArgs int
	run              func(ctx context.Context, c *client.Client, args []string) (string, error)
}

// commands maps the name of each command to what it does.
var commands = map[string]command{
	"greet":          {1, 2, greet},
	"translate":      {2, 2, translate},
	"phrases":        {0, 0, phrases},
	"server-version": {0, 0, serverVersion},
}

// greet returns a greeting of args[0], in the language args[1] if there is one.
func greet(ctx context.Context, c *client.Client, args []string) (string, error) {
	language := ""
	if len(args) > 1 {
		language = args[1]
	}
	greeting, err := c.Greet(ctx, args[0], language)
	return greeting.Text, err
}

// translate returns the phrase args[0] in the language args[1].
func translate(ctx context.Context, c *client.Client, args []string) (string, error) {
	translation, err := c.Translate(ctx, args[0], args[1])
	return translation.Text, err
}

// phrases returns the server's phrases, one a line, and its languages in the last line.
func phrases(ctx context.Context, c *client.Client, _ []string) (string, error) {
	catalogue, err := c.Phrases(ctx)
	if err != nil {
		return "", err
	}
	lines := append(catalogue.Phrases, "in "+strings.Join(catalogue.Languages, ", "))
	return strings.Join(lines, "\n"), nil
}

// serverVersion returns the server's version, Go release and platform.
func serverVersion(ctx context.Context, c *client.Client, _ []string) (string, error) {
	answer, err := c.Version(ctx)
	return fmt.Sprintf("%s %s %s", answer.Version, answer.Go, answer.Platform), err
}
