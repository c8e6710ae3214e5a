package phrasebook

import "golang.org/x/text/language"

// supported lists the languages of every table below; the first is the default.
var supported = []language.Tag{
	language.English,
	language.French,
	language.German,
	language.Japanese,
	language.Spanish,
}

// phrases lists the keys of book in alphabetical order.
var phrases = []string{"good evening", "good morning", "goodbye", "please", "thank you"}

// greetings holds a format with one %s, the name, for each language.
var greetings = map[language.Tag]string{
	language.English:  "Hello, %s!",
	language.French:   "Bonjour, %s !",
	language.German:   "Hallo, %s!",
	language.Japanese: "こんにちは、%sさん。",
	language.Spanish:  "¡Hola, %s!",
}

// book maps a lower-case English phrase to its translations.
var book = map[string]map[language.Tag]string{
	"good evening": {
		language.English:  "good evening",
		language.French:   "bonsoir",
		language.German:   "guten Abend",
		language.Japanese: "こんばんは",
		language.Spanish:  "buenas noches",
	},
	"good morning": {
		language.English:  "good morning",
		language.French:   "bonjour",
		language.German:   "guten Morgen",
		language.Japanese: "おはようございます",
		language.Spanish:  "buenos días",
	},
	"goodbye": {
		language.English:  "goodbye",
		language.French:   "au revoir",
		language.German:   "auf Wiedersehen",
		language.Japanese: "さようなら",
		language.Spanish:  "adiós",
	},
	"please": {
		language.English:  "please",
		language.French:   "s'il vous plaît",
		language.German:   "bitte",
		language.Japanese: "お願いします",
		language.Spanish:  "por favor",
	},
	"thank you": {
		language.English:  "thank you",
		language.French:   "merci",
		language.German:   "danke",
		language.Japanese: "ありがとう",
		language.Spanish:  "gracias",
	},
}
