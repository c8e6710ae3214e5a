package client

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/buildme/internal/api"
)

// dial starts handler on a loopback port and returns a client of it.
func dial(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAgainstServer(t *testing.T) {
	c := dial(t, api.New("v1.2.3", log.New(io.Discard, "", 0)))
	ctx := context.Background()

	t.Run("version", func(t *testing.T) {
		if got, err := c.Version(ctx); err != nil || got.Version != "v1.2.3" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("phrases", func(t *testing.T) {
		if got, err := c.Phrases(ctx); err != nil || len(got.Phrases) == 0 || len(got.Languages) == 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("greet", func(t *testing.T) {
		for name, want := range map[string]string{"Ada": "¡Hola, Ada!", "Ada L.": "¡Hola, Ada L.!", "太郎": "¡Hola, 太郎!"} {
			if got, err := c.Greet(ctx, name, "es"); err != nil || got.Text != want {
				t.Errorf("Greet(%q) = %+v, %v, want %q", name, got, err, want)
			}
		}
	})
	t.Run("greet in the default language", func(t *testing.T) {
		if got, err := c.Greet(ctx, "Ada", ""); err != nil || got.Language != "en" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("translate", func(t *testing.T) {
		if got, err := c.Translate(ctx, "thank you", "ja"); err != nil || got.Text != "ありがとう" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("refusal", func(t *testing.T) {
		_, err := c.Translate(ctx, "hmm", "ja")
		var refusal *StatusError
		if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound {
			t.Fatalf("got %v, want a StatusError of 404", err)
		}
		if !strings.Contains(err.Error(), "unknown phrase") || refusal.RequestID == "" {
			t.Errorf("the message lacks the reason or the request: %v", err)
		}
	})
}

func TestSlashInNameStaysOneSegment(t *testing.T) {
	c := dial(t, api.New("v1.2.3", log.New(io.Discard, "", 0)))
	_, err := c.Greet(context.Background(), "a/../../version", "")
	var refusal *StatusError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusUnprocessableEntity {
		t.Errorf("got %v, want the name refused with 422", err)
	}
}

func TestForeignAnswers(t *testing.T) {
	for _, test := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"proxy error page", "<html>", http.StatusBadGateway, "answered 502: Bad Gateway"},
		{"not JSON", "<html>", http.StatusOK, "is not understood"},
		{"empty", "", http.StatusOK, "is not understood"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				if _, err := io.WriteString(w, test.body); err != nil {
					t.Error(err)
				}
			}))
			_, err := c.Version(context.Background())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestCancelledRequest(t *testing.T) {
	c := dial(t, http.NotFoundHandler())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestNewRefusesAddresses(t *testing.T) {
	for _, address := range []string{"", "localhost:8080", "ftp://localhost", "http://", "http://[::1"} {
		t.Run(address, func(t *testing.T) {
			if _, err := New(address, http.DefaultClient); err == nil {
				t.Errorf("New(%q) took it", address)
			}
		})
	}
}
