package api

// Index is the answer of GET /.
type Index struct {
	Service   string   `json:"service"`
	Version   string   `json:"version"`
	Endpoints []string `json:"endpoints"`
}

// Version is the answer of GET /version.
type Version struct {
	Version  string `json:"version"`
	Go       string `json:"go"`       // the release that built the server
	Platform string `json:"platform"` // GOOS/GOARCH
}

// Catalogue is the answer of GET /phrases.
type Catalogue struct {
	Languages []string `json:"languages"` // BCP 47 tags
	Phrases   []string `json:"phrases"`   // in English
}

// Greeting is the answer of GET /greetings/{name}.
type Greeting struct {
	Language string `json:"language"`
	Text     string `json:"text"`
}

// TranslationRequest is the body of POST /translations; both fields are required.
type TranslationRequest struct {
	Phrase   string `json:"phrase"`
	Language string `json:"language"`
}

// Translation is the answer of POST /translations.
type Translation struct {
	Phrase   string `json:"phrase"`
	Language string `json:"language"`
	Text     string `json:"text"`
}

// Problem is the body of every answer with a status of 400 or above.
type Problem struct {
	Error     string `json:"error"`
	RequestID string `json:"request_id"` // also in the server's log
}
