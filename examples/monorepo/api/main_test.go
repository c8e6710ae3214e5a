package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	handler := stock{"apples": 12, "pears": 0}.handler()
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{http.MethodGet, "/stock", http.StatusOK, `{"apples":12,"pears":0}`},
		{http.MethodGet, "/stock/apples", http.StatusOK, `{"count":12,"item":"apples"}`},
		{http.MethodGet, "/stock/pears", http.StatusOK, `{"count":0,"item":"pears"}`},
		{http.MethodGet, "/stock/nails", http.StatusNotFound, `{"error":"unknown item nails"}`},
		{http.MethodDelete, "/stock", http.StatusMethodNotAllowed, "Method Not Allowed"},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(test.method, test.path, http.NoBody))
			if recorder.Code != test.status {
				t.Errorf("status %d, not %d", recorder.Code, test.status)
			}
			if body := strings.TrimSpace(recorder.Body.String()); body != test.body {
				t.Errorf("body %s, not %s", body, test.body)
			}
		})
	}
}
