// Package api serves the phrasebook over HTTP as JSON.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"net/url"
	"runtime"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/text/language"

	"example.com/buildme/internal/phrasebook"
)

// MaxBodySize is the largest request body that is read, in bytes.
const MaxBodySize = 4 << 10

// server carries what the handlers share.
type server struct {
	version string
	logger  *log.Logger
}

// New returns the handler of the whole API. It reports version as its own and
// writes one line per request, and everything that goes wrong, to logger.
func New(version string, logger *log.Logger) http.Handler {
	s := server{version: version, logger: logger}
	router := chi.NewRouter()
	router.Use(requestID)
	router.Use(middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: logger, NoColor: true}))
	router.Use(s.recoverPanic)

	router.Get("/", s.index)
	router.Get("/healthz", s.health)
	router.Get("/version", s.showVersion)
	router.Get("/phrases", s.catalogue)
	router.Get("/greetings/{name}", s.greet)
	router.Post("/translations", s.translate)
	router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, errors.New("no such resource"))
	})
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusMethodNotAllowed, fmt.Errorf("method %s is not allowed here", r.Method))
	})
	return router
}

func (s server) index(w http.ResponseWriter, _ *http.Request) {
	s.respond(w, http.StatusOK, Index{
		Service: "buildme",
		Version: s.version,
		Endpoints: []string{
			"GET /healthz", "GET /version", "GET /phrases",
			"GET /greetings/{name}?language=TAG", "POST /translations",
		},
	})
}

func (s server) health(w http.ResponseWriter, _ *http.Request) {
	s.respond(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s server) showVersion(w http.ResponseWriter, _ *http.Request) {
	s.respond(w, http.StatusOK, Version{
		Version:  s.version,
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	})
}

func (s server) catalogue(w http.ResponseWriter, _ *http.Request) {
	answer := Catalogue{Phrases: phrasebook.Phrases()}
	for _, tag := range phrasebook.Languages() {
		answer.Languages = append(answer.Languages, tag.String())
	}
	s.respond(w, http.StatusOK, answer)
}

func (s server) greet(w http.ResponseWriter, r *http.Request) {
	// chi matches the escaped path, so the parameter comes escaped as well.
	name, err := url.PathUnescape(chi.URLParam(r, "name"))
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	tag, err := requestedLanguage(r)
	if err != nil {
		s.fail(w, r, statusOf(err), err)
		return
	}
	text, err := phrasebook.Greet(name, tag)
	if err != nil {
		s.fail(w, r, statusOf(err), err)
		return
	}
	w.Header().Set("Content-Language", tag.String())
	w.Header().Set("Vary", "Accept-Language")
	s.respond(w, http.StatusOK, Greeting{Language: tag.String(), Text: text})
}

func (s server) translate(w http.ResponseWriter, r *http.Request) {
	request, err := decodeTranslation(w, r)
	if err != nil {
		s.fail(w, r, statusOf(err), err)
		return
	}
	tag, err := phrasebook.Lookup(request.Language)
	if err != nil {
		s.fail(w, r, statusOf(err), err)
		return
	}
	text, err := phrasebook.Translate(request.Phrase, tag)
	if err != nil {
		s.fail(w, r, statusOf(err), err)
		return
	}
	s.respond(w, http.StatusOK, Translation{Phrase: request.Phrase, Language: tag.String(), Text: text})
}

// requestedLanguage returns the language of the query, else of the header.
func requestedLanguage(r *http.Request) (language.Tag, error) {
	if name := r.URL.Query().Get("language"); name != "" {
		return phrasebook.Lookup(name)
	}
	return phrasebook.Negotiate(r.Header.Get("Accept-Language")), nil
}

// badRequest is an error whose cause is the shape of the request.
type badRequest struct {
	status int
	reason string
}

func (b badRequest) Error() string { return b.reason }

// decodeTranslation reads and checks the body; its error is a badRequest.
func decodeTranslation(w http.ResponseWriter, r *http.Request) (TranslationRequest, error) {
	var request TranslationRequest
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return request, badRequest{http.StatusUnsupportedMediaType, "the body must be application/json"}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBodySize))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			reason := fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)
			return request, badRequest{http.StatusRequestEntityTooLarge, reason}
		}
		return request, badRequest{http.StatusBadRequest, "the body is not a translation request: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return request, badRequest{http.StatusBadRequest, "the body holds more than one JSON value"}
	}
	if request.Phrase == "" || request.Language == "" {
		return request, badRequest{http.StatusUnprocessableEntity, "phrase and language are required"}
	}
	return request, nil
}

// statusOf returns the HTTP status that tells a client what err means.
func statusOf(err error) int {
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		return bad.status
	case errors.Is(err, phrasebook.ErrUnknownPhrase):
		return http.StatusNotFound
	case errors.Is(err, phrasebook.ErrInvalidName), errors.Is(err, phrasebook.ErrUnsupportedLanguage):
		return http.StatusUnprocessableEntity
	default:
		return http.StatusInternalServerError
	}
}

// fail answers with status and err as a Problem.
func (s server) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	s.respond(w, status, Problem{Error: err.Error(), RequestID: middleware.GetReqID(r.Context())})
}

// respond answers with status and the JSON form of body.
func (s server) respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		// The status is already sent: all that is left is to say so.
		s.logger.Printf("write the answer: %v", err)
	}
}
