package phrasebook

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// welsh is a language that the book does not have.
var welsh = language.MustParse("cy")

func TestTablesAreComplete(t *testing.T) {
	if !slices.IsSorted(phrases) {
		t.Errorf("phrases are not in alphabetical order: %q", phrases)
	}
	if len(phrases) != len(book) {
		t.Errorf("%d phrases are listed, the book has %d", len(phrases), len(book))
	}
	for _, tag := range Languages() {
		t.Run(tag.String(), func(t *testing.T) {
			if strings.Count(greetings[tag], "%s") != 1 {
				t.Errorf("greeting %q must hold the name exactly once", greetings[tag])
			}
			for _, phrase := range Phrases() {
				if book[phrase][tag] == "" {
					t.Errorf("no translation of %q", phrase)
				}
			}
		})
	}
}

func TestListsAreCopies(t *testing.T) {
	Phrases()[0] = "changed"
	Languages()[0] = welsh
	if phrases[0] == "changed" || supported[0] == welsh {
		t.Error("a caller changed the package's own tables")
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]language.Tag{
		"de":      language.German,
		"DE-at":   language.German,
		"fr-CA":   language.French,
		"en-GB":   language.English,
		"ja":      language.Japanese,
		"es-419":  language.Spanish,
		"ja-Jpan": language.Japanese,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Lookup(name)
			if err != nil || got != want {
				t.Errorf("Lookup(%q) = %v, %v, want %v", name, got, err, want)
			}
		})
	}
	for _, name := range []string{"", "cy", "ca", "zz", "und", "not a tag", "de_"} {
		t.Run("unsupported "+name, func(t *testing.T) {
			if got, err := Lookup(name); !errors.Is(err, ErrUnsupportedLanguage) {
				t.Errorf("Lookup(%q) = %v, %v, want ErrUnsupportedLanguage", name, got, err)
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		name, header string
		want         language.Tag
	}{
		{"no header", "", language.English},
		{"first choice", "de, fr;q=0.8", language.German},
		{"second choice", "cy, fr;q=0.8", language.French},
		{"quality decides", "fr;q=0.3, es;q=0.9", language.Spanish},
		{"nothing fits", "cy", language.English},
		{"malformed", ";;;q=x", language.English},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Negotiate(test.header); got != test.want {
				t.Errorf("Negotiate(%q) = %v, want %v", test.header, got, test.want)
			}
		})
	}
}

func TestTranslate(t *testing.T) {
	for _, test := range []struct {
		name, phrase string
		tag          language.Tag
		want         string
		wantErr      error
	}{
		{"plain", "thank you", language.German, "danke", nil},
		{"letter case and spaces", "  Good\t MORNING ", language.Spanish, "buenos días", nil},
		{"other script", "goodbye", language.Japanese, "さようなら", nil},
		{"unknown phrase", "where is the station", language.German, "", ErrUnknownPhrase},
		{"empty phrase", "", language.German, "", ErrUnknownPhrase},
		{"unsupported language", "please", welsh, "", ErrUnsupportedLanguage},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Translate(test.phrase, test.tag)
			if got != test.want || !errors.Is(err, test.wantErr) {
				t.Errorf("Translate(%q, %v) = %q, %v, want %q, %v",
					test.phrase, test.tag, got, err, test.want, test.wantErr)
			}
		})
	}
}

func TestGreet(t *testing.T) {
	for _, test := range []struct {
		name, who string
		tag       language.Tag
		want      string
		wantErr   error
	}{
		{"plain", "Ada", language.English, "Hello, Ada!", nil},
		{"spaces around", " Ada ", language.French, "Bonjour, Ada !", nil},
		{"punctuation", "Anne-Marie O'Neil Jr.", language.German, "Hallo, Anne-Marie O'Neil Jr.!", nil},
		{"other script", "太郎", language.Japanese, "こんにちは、太郎さん。", nil},
		{"longest", strings.Repeat("é", MaxNameLength), language.Spanish,
			"¡Hola, " + strings.Repeat("é", MaxNameLength) + "!", nil},
		{"too long", strings.Repeat("é", MaxNameLength+1), language.Spanish, "", ErrInvalidName},
		{"empty", " ", language.English, "", ErrInvalidName},
		{"control character", "Ada\x1b[31m", language.English, "", ErrInvalidName},
		{"markup", "<b>Ada</b>", language.English, "", ErrInvalidName},
		{"not UTF-8", "Ad\xff", language.English, "", ErrInvalidName},
		{"format verb", "%d", language.English, "", ErrInvalidName},
		{"unsupported language", "Ada", welsh, "", ErrUnsupportedLanguage},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Greet(test.who, test.tag)
			if got != test.want || !errors.Is(err, test.wantErr) {
				t.Errorf("Greet(%q, %v) = %q, %v, want %q, %v",
					test.who, test.tag, got, err, test.want, test.wantErr)
			}
		})
	}
}
