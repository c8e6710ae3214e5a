package api

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"
)

// RequestIDHeader names the header that carries a request's ID both ways.
const RequestIDHeader = "X-Request-Id"

// requestID gives every request a UUID, the client's own if it sent one. Anything
// else is replaced, so that a client cannot write into the log as it pleases.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(r.Header.Get(RequestIDHeader))
		if err != nil {
			id = uuid.New()
		}
		w.Header().Set(RequestIDHeader, id.String())
		// chi's logger and GetReqID look the ID up under chi's own key.
		ctx := context.WithValue(r.Context(), middleware.RequestIDKey, id.String())
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recoverPanic turns a panic of a handler into a status of 500 and a logged stack.
func (s server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it by identity too
				panic(cause)
			}
			s.logger.Printf("panic in %s: %v\n%s", middleware.GetReqID(r.Context()), cause, debug.Stack())
			s.fail(w, r, http.StatusInternalServerError, errors.New("internal error"))
		}()
		next.ServeHTTP(w, r)
	})
}
