package api

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// ask sends one request to a fresh API and returns the recorded answer.
func ask(t *testing.T, method, target, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for key, values := range header {
		request.Header[key] = values
	}
	recorder := httptest.NewRecorder()
	New("v1.2.3", log.New(io.Discard, "", 0)).ServeHTTP(recorder, request)
	return recorder
}

// decode reads the JSON body of answer into a T and fails on fields T does not have.
func decode[T any](t *testing.T, answer *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	decoder := json.NewDecoder(answer.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("the answer is not a %T: %v", value, err)
	}
	return value
}

func TestPlainEndpoints(t *testing.T) {
	t.Run("index", func(t *testing.T) {
		index := decode[Index](t, ask(t, http.MethodGet, "/", "", nil))
		if index.Version != "v1.2.3" || len(index.Endpoints) == 0 {
			t.Errorf("unexpected index: %+v", index)
		}
	})
	t.Run("health", func(t *testing.T) {
		status := decode[map[string]string](t, ask(t, http.MethodGet, "/healthz", "", nil))
		if status["status"] != "ok" {
			t.Errorf("unexpected status: %v", status)
		}
	})
	t.Run("version", func(t *testing.T) {
		got := decode[Version](t, ask(t, http.MethodGet, "/version", "", nil))
		want := Version{"v1.2.3", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("phrases", func(t *testing.T) {
		catalogue := decode[Catalogue](t, ask(t, http.MethodGet, "/phrases", "", nil))
		if catalogue.Languages[0] != "en" || len(catalogue.Phrases) == 0 {
			t.Errorf("unexpected catalogue: %+v", catalogue)
		}
	})
}

func TestGreetings(t *testing.T) {
	for _, test := range []struct {
		name, target, accept string
		status               int
		want                 Greeting
	}{
		{"default", "/greetings/Ada", "", 200, Greeting{"en", "Hello, Ada!"}},
		{"query", "/greetings/Ada?language=de-AT", "", 200, Greeting{"de", "Hallo, Ada!"}},
		{"header", "/greetings/Ada", "cy, fr;q=0.5", 200, Greeting{"fr", "Bonjour, Ada !"}},
		{"query beats header", "/greetings/Ada?language=es", "fr", 200, Greeting{"es", "¡Hola, Ada!"}},
		{"escaped name", "/greetings/Ada%20L.?language=en", "", 200, Greeting{"en", "Hello, Ada L.!"}},
		{"unsupported language", "/greetings/Ada?language=cy", "", 422, Greeting{}},
		{"invalid name", "/greetings/%3Cb%3E", "", 422, Greeting{}},
		{"no name", "/greetings/", "", 404, Greeting{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Accept-Language": {test.accept}}
			answer := ask(t, http.MethodGet, test.target, "", header)
			if answer.Code != test.status {
				t.Fatalf("status %d, want %d: %s", answer.Code, test.status, answer.Body)
			}
			if test.status != http.StatusOK {
				return
			}
			if got := answer.Header().Get("Content-Language"); got != test.want.Language {
				t.Errorf("Content-Language %q, want %q", got, test.want.Language)
			}
			if got := decode[Greeting](t, answer); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTranslations(t *testing.T) {
	const plain = "application/json"
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		want                    string // part of the body
	}{
		{"plain", plain, `{"phrase":"thank you","language":"de"}`, 200, `"text":"danke"`},
		{"charset", plain + "; charset=utf-8", `{"phrase":"please","language":"fr-CA"}`, 200, `"language":"fr"`},
		{"no content type", "", `{"phrase":"please","language":"fr"}`, 415, "application/json"},
		{"form", "application/x-www-form-urlencoded", "phrase=please", 415, "application/json"},
		{"empty body", plain, "", 400, "not a translation request"},
		{"not JSON", plain, "please", 400, "not a translation request"},
		{"wrong type", plain, `{"phrase":1,"language":"de"}`, 400, "not a translation request"},
		{"unknown field", plain, `{"phrase":"please","lang":"de"}`, 400, "unknown field"},
		{"two values", plain, `{"phrase":"please","language":"de"} {}`, 400, "more than one"},
		{"missing language", plain, `{"phrase":"please"}`, 422, "are required"},
		{"unsupported language", plain, `{"phrase":"please","language":"cy"}`, 422, "unsupported language"},
		{"unknown phrase", plain, `{"phrase":"hmm","language":"de"}`, 404, "unknown phrase"},
		{"too large", plain, `{"phrase":"` + strings.Repeat("a", MaxBodySize) + `"}`, 413, "larger than 4096 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {test.contentType}}
			answer := ask(t, http.MethodPost, "/translations", test.body, header)
			if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.want) {
				t.Errorf("got %d %s, want %d and %q", answer.Code, answer.Body, test.status, test.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name, method, target string
		status               int
	}{
		{"not found", http.MethodGet, "/nowhere", http.StatusNotFound},
		{"method not allowed", http.MethodDelete, "/translations", http.StatusMethodNotAllowed},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(t, test.method, test.target, "", nil)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			problem := decode[Problem](t, answer)
			if problem.Error == "" || problem.RequestID != answer.Header().Get(RequestIDHeader) {
				t.Errorf("incomplete problem: %+v", problem)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	const own = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
	t.Run("kept", func(t *testing.T) {
		answer := ask(t, http.MethodGet, "/", "", http.Header{RequestIDHeader: {own}})
		if got := answer.Header().Get(RequestIDHeader); got != own {
			t.Errorf("got %q, want %q", got, own)
		}
	})
	for name, sent := range map[string]string{"none": "", "forged": "x\n::error::forged"} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, http.MethodGet, "/", "", http.Header{RequestIDHeader: {sent}})
			got := answer.Header().Get(RequestIDHeader)
			if _, err := uuid.Parse(got); err != nil || got == sent {
				t.Errorf("%q is not a fresh UUID: %v", got, err)
			}
		})
	}
}

func TestRecoverPanic(t *testing.T) {
	var logged bytes.Buffer
	s := server{logger: log.New(&logged, "", 0)}
	handler := requestID(s.recoverPanic(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("out of phrases")
	})))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if recorder.Code != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", recorder.Code)
	}
	if strings.Contains(recorder.Body.String(), "out of phrases") {
		t.Errorf("the cause leaked to the client: %s", recorder.Body)
	}
	if !strings.Contains(logged.String(), "out of phrases") {
		t.Errorf("the cause is not in the log: %s", &logged)
	}
}
