// Package client talks to a buildme server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"example.com/buildme/internal/api"
)

// maxAnswerSize bounds what is read of an answer, in bytes.
const maxAnswerSize = 1 << 20

// Client sends requests to one server; use New to make one.
type Client struct {
	base *url.URL
	http *http.Client
}

// StatusError is a server's refusal.
type StatusError struct {
	Status    int    // HTTP status
	Reason    string // the server's own words
	RequestID string // find it in the server's log
}

// Error names the status, the reason and the request.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answered %d: %s (request %s)", e.Status, e.Reason, e.RequestID)
}

// New returns a client of the server at address, an absolute HTTP or HTTPS URL.
// It returns an error if address is anything else.
func New(address string, httpClient *http.Client) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("server address: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("server address %q: write it like http://localhost:8080", address)
	}
	return &Client{base: base, http: httpClient}, nil
}

// Version returns the server's version.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	var answer api.Version
	err := c.do(ctx, http.MethodGet, c.base.JoinPath("version"), nil, &answer)
	return answer, err
}

// Phrases returns the phrases and languages that the server knows.
func (c *Client) Phrases(ctx context.Context) (api.Catalogue, error) {
	var answer api.Catalogue
	err := c.do(ctx, http.MethodGet, c.base.JoinPath("phrases"), nil, &answer)
	return answer, err
}

// Greet returns a greeting of name; language is a BCP 47 tag or empty for the server's default.
func (c *Client) Greet(ctx context.Context, name, language string) (api.Greeting, error) {
	var answer api.Greeting
	target := c.base.JoinPath("greetings", url.PathEscape(name))
	if language != "" {
		target.RawQuery = url.Values{"language": {language}}.Encode()
	}
	err := c.do(ctx, http.MethodGet, target, nil, &answer)
	return answer, err
}

// Translate returns the English phrase in language, a BCP 47 tag.
func (c *Client) Translate(ctx context.Context, phrase, language string) (api.Translation, error) {
	var answer api.Translation
	request := api.TranslationRequest{Phrase: phrase, Language: language}
	err := c.do(ctx, http.MethodPost, c.base.JoinPath("translations"), request, &answer)
	return answer, err
}

// do sends one request, with the JSON form of body unless that is nil, and reads
// the answer into answer. The error is a *StatusError if the server refused.
func (c *Client) do(ctx context.Context, method string, target *url.URL, body, answer any) (err error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), content)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	id := uuid.NewString()
	request.Header.Set(api.RequestIDHeader, id)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err // net/http already names the method and the URL
	}
	defer func() {
		if closeErr := response.Body.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close the answer: %w", closeErr)
		}
	}()
	return readAnswer(response, id, answer)
}

// readAnswer reads the body of response into answer, or into the error it returns.
func readAnswer(response *http.Response, id string, answer any) error {
	decoder := json.NewDecoder(io.LimitReader(response.Body, maxAnswerSize))
	if response.StatusCode != http.StatusOK {
		refusal := StatusError{Status: response.StatusCode, RequestID: id}
		var problem api.Problem
		if err := decoder.Decode(&problem); err != nil || problem.Error == "" {
			// A proxy in between answers in its own way.
			problem.Error = http.StatusText(response.StatusCode)
		}
		refusal.Reason = problem.Error
		return &refusal
	}
	if err := decoder.Decode(answer); err != nil {
		return fmt.Errorf("the server's answer to request %s is not understood: %w", id, err)
	}
	return nil
}
