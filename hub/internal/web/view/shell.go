package view

import (
	"strings"
	"unicode/utf8"
)

// The sections of the navigation.
const (
	SectionOverview    = "overview"
	SectionConnections = "connections"
	SectionServices    = "services"
	SectionEscalations = "escalations"
	SectionKeys        = "keys"
	SectionPlugins     = "plugins"
	SectionPeople      = "people"
	SectionAudit       = "audit"
	SectionSettings    = "settings"
)

// The choices of a theme; the first one follows the system.
const (
	ThemeAuto  = "auto"
	ThemeLight = "light"
	ThemeDark  = "dark"
)

// Themes lists the choices.
var Themes = []string{ThemeAuto, ThemeLight, ThemeDark}

// Shell is the frame around the content of a page.
type Shell struct {
	// Section is the entry of the navigation that the page belongs to.
	Section string
	// Path is the page's own address, to come back to after a switch of language.
	Path string
	// Theme is one of Themes.
	Theme string
	// Person is who is signed in; nil on pages that strangers see.
	Person *Person
	// Attention is the number of connections that need a person.
	Attention int
	// Detached is set on a detached copy: nothing is renewed or sent.
	Detached bool
	Flash    *Flash
}

// Person is who is signed in.
type Person struct {
	Login, Name string
}

// Called is the name to show: the login if there is no other.
func (p Person) Called() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Login
}

// Flash is a message that is shown once, at the top of the next page.
type Flash struct {
	// Bad is set if something did not succeed.
	Bad bool
	// Key of the sentence; it may have the placeholder .Name.
	Key  string
	Name string
	// Said are the words of a service or a plugin; optional.
	Said string
}

// Icon is a picture of a service.
type Icon struct {
	// URL of an image; empty shows the first letter of Title.
	URL   string
	Title string
}

// Letter is the first letter of the title in upper case.
func (i Icon) Letter() string {
	r, _ := utf8.DecodeRuneInString(strings.TrimSpace(i.Title))
	if r == utf8.RuneError {
		return "?"
	}
	return strings.ToUpper(string(r))
}
