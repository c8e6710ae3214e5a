package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/buildme/internal/api"
)

func TestCommands(t *testing.T) {
	server := httptest.NewServer(api.New("v1.2.3", log.New(io.Discard, "", 0)))
	t.Cleanup(server.Close)
	for _, test := range []struct {
		name, stdout, stderr string
		args                 []string
		code                 int
	}{
		{"greet", "Hello, Ada!\n", "", []string{"greet", "Ada"}, 0},
		{"greet in a language", "Hallo, Ada!\n", "", []string{"greet", "Ada", "de"}, 0},
		{"translate", "gracias\n", "", []string{"translate", "thank you", "es"}, 0},
		{"phrases", "in en, fr, de, ja, es\n", "", []string{"phrases"}, 0},
		{"server version", "v1.2.3 go", "", []string{"server-version"}, 0},
		{"refused", "", "unsupported language", []string{"translate", "please", "cy"}, 1},
		{"no command", "", "no command given", nil, 2},
		{"unknown command", "", `no command "sing"`, []string{"sing"}, 2},
		{"too few arguments", "", "with 1 arguments", []string{"translate", "please"}, 2},
		{"too many arguments", "", "with 3 arguments", []string{"greet", "a", "b", "c"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"--server", server.URL}, test.args...)
			code := run(context.Background(), args, &stdout, &stderr)
			if code != test.code {
				t.Errorf("exit code %d, want %d; stderr %q", code, test.code, &stderr)
			}
			if !strings.Contains(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("stdout %q, stderr %q, want %q, %q", &stdout, &stderr, test.stdout, test.stderr)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct {
		name, stdout, stderr string
		args                 []string
		code                 int
	}{
		{"version", version + "\n", "", []string{"--version"}, 0},
		{"help", "", "Usage: client", []string{"--help"}, 0},
		{"unknown flag", "", "-nonsense", []string{"--nonsense"}, 2},
		{"bad address", "", "server address", []string{"--server", "localhost", "phrases"}, 2},
		{"nobody there", "", "connect", []string{"--server", "http://127.0.0.1:1", "phrases"}, 1},
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
