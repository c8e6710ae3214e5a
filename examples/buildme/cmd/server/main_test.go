package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		name, stdout, stderr string
		args                 []string
		code                 int
	}{
		{"version", version + "\n", "", []string{"--version"}, 0},
		{"help", "", "-address", []string{"--help"}, 0},
		{"unknown flag", "", "-nonsense", []string{"--nonsense"}, 2},
		{"argument", "", `"extra"`, []string{"extra"}, 2},
		{"bad address", "", "server failed", []string{"--address", "127.0.0.1:no-such-port"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), test.args, &stdout, &stderr)
			if code != test.code || stdout.String() != test.stdout {
				t.Errorf("exit code %d, stdout %q, want %d, %q", code, &stdout, test.code, test.stdout)
			}
			if !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("stderr %q lacks %q", &stderr, test.stderr)
			}
		})
	}
}

func TestAddressInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var stderr bytes.Buffer
	code := run(context.Background(), []string{"--address", listener.Addr().String()}, io.Discard, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "server failed") {
		t.Errorf("exit code %d, stderr %q", code, &stderr)
	}
}

func TestServeAndShutDown(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	logReader, logWriter := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--address", "127.0.0.1:0"}, io.Discard, logWriter)
		_ = logWriter.Close()
	}()

	lines := bufio.NewScanner(logReader)
	expect := func(part string) string {
		t.Helper()
		for lines.Scan() {
			if _, rest, found := strings.Cut(lines.Text(), part); found {
				return rest
			}
		}
		t.Fatalf("the log ended without %q", part)
		return ""
	}
	if got := expect("Version: "); got != version {
		t.Errorf("logged version %q, want %q", got, version)
	}
	address := expect("Listening on ")
	// The server's log must be read on, else its next line blocks it.
	rest := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines.Scan() {
			all.WriteString(lines.Text() + "\n")
		}
		rest <- all.String()
	}()

	response, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", response.StatusCode)
	}

	stop()
	select {
	case got := <-code:
		if got != 0 {
			t.Errorf("exit code %d, want 0", got)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not stop")
	}
	if got := <-rest; !strings.Contains(got, "Shutting down") || !strings.Contains(got, "/healthz") {
		t.Errorf("the log lacks the request or the stop: %q", got)
	}
}
