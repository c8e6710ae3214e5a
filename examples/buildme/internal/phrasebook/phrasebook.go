// Package phrasebook knows a fixed set of everyday phrases in several languages.
//
// Languages are named by BCP 47 tags. A regional variant is served by its base
// language ("fr-CA" by French); a language that is merely related is not.
package phrasebook

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// MaxNameLength is the longest name that Greet accepts, in code points.
const MaxNameLength = 64

// The errors of this package; callers tell them apart with errors.Is.
var (
	ErrUnknownPhrase       = errors.New("unknown phrase")
	ErrUnsupportedLanguage = errors.New("unsupported language")
	ErrInvalidName         = errors.New("invalid name")
)

// matcher picks one of supported; it is built once because building is costly.
var matcher = language.NewMatcher(supported)

// Languages returns the supported languages, the default one first.
func Languages() []language.Tag {
	return append([]language.Tag(nil), supported...)
}

// Phrases returns the English phrases that Translate knows, in alphabetical order.
func Phrases() []string {
	return append([]string(nil), phrases...)
}

// Lookup returns the supported language that serves the BCP 47 tag name.
// The error wraps ErrUnsupportedLanguage if name is malformed or no language serves it.
func Lookup(name string) (language.Tag, error) {
	tag, err := language.Parse(name)
	if err != nil {
		return language.Und, fmt.Errorf("%w: %q is not a BCP 47 tag", ErrUnsupportedLanguage, name)
	}
	// Not the matcher: it also serves Welsh by English, which suits a browser's
	// preferences but would surprise whoever asked for Welsh by name.
	base, confidence := tag.Base()
	for _, candidate := range supported {
		if known, _ := candidate.Base(); known == base && confidence == language.Exact {
			return candidate, nil
		}
	}
	return language.Und, fmt.Errorf("%w: %q", ErrUnsupportedLanguage, name)
}

// Negotiate returns the language that suits an Accept-Language header (RFC 9110,
// section 12.5.4) best. It always answers: with the default language if the
// header is empty, malformed or asks only for languages that are not supported.
func Negotiate(acceptLanguage string) language.Tag {
	preferred, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return supported[0]
	}
	_, index, _ := matcher.Match(preferred...)
	return supported[index]
}

// Translate returns phrase, given in English in any letter case, in the language tag.
// The error wraps ErrUnknownPhrase or ErrUnsupportedLanguage.
func Translate(phrase string, tag language.Tag) (string, error) {
	key := strings.ToLower(strings.Join(strings.Fields(phrase), " "))
	translations, ok := book[key]
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrUnknownPhrase, phrase)
	}
	text, ok := translations[tag]
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrUnsupportedLanguage, tag)
	}
	return text, nil
}

// Greet returns a greeting of name in the language tag.
// The error wraps ErrInvalidName or ErrUnsupportedLanguage.
func Greet(name string, tag language.Tag) (string, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return "", err
	}
	format, ok := greetings[tag]
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrUnsupportedLanguage, tag)
	}
	return fmt.Sprintf(format, name), nil
}

// checkName reports what keeps name from being greeted.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrInvalidName)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: it is not UTF-8", ErrInvalidName)
	case utf8.RuneCountInString(name) > MaxNameLength:
		return fmt.Errorf("%w: longer than %d characters", ErrInvalidName, MaxNameLength)
	}
	for _, r := range name {
		if !isNameRune(r) {
			return fmt.Errorf("%w: the character %q is not allowed", ErrInvalidName, r)
		}
	}
	return nil
}

// isNameRune reports whether r occurs in people's names of any script.
func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || strings.ContainsRune(" '’-.", r)
}
