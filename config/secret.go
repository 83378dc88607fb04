package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// hidden is shown in place of a secret.
const hidden = "***"

// Secret is a text that only Reveal shows: String, every verb of fmt, JSON, YAML
// and slog give *** (or nothing, if it is empty). The text is behind a pointer
// because fmt prints unexported fields of foreign structs without asking.
type Secret struct{ text *string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String is ***, or nothing for an empty secret.
func (s Secret) String() string {
	if s.Reveal() == "" {
		return ""
	}
	return hidden
}

// Format writes what String gives, whatever the verb.
func (s Secret) Format(state fmt.State, _ rune) { write(state, s.String()) }

// MarshalText gives what String gives, to JSON and YAML among others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue gives what String gives.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// URL is a server's address. Everywhere but in Reveal, user and password show as
// ***.
type URL struct{ text, shown *string }

var errAddress = errors.New("expected " + urlExpected)

// NewURL checks an address: http or https, a host, no query and no fragment. The
// error does not show it.
func NewURL(text string) (URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(text, "?#") {
		return URL{}, errAddress
	}
	if _, ok := port(u.Port()); u.Port() != "" && !ok {
		return URL{}, errAddress
	}
	shown := text
	if u.User != nil {
		from := strings.Index(text, "//") + len("//")
		authority, _, _ := strings.Cut(text[from:], "/")
		shown = text[:from] + hidden + text[from+strings.LastIndex(authority, "@"):]
	}
	return URL{&text, &shown}, nil
}

// Reveal is the address with user and password.
func (u URL) Reveal() string {
	if u.text == nil {
		return ""
	}
	return *u.text
}

// String is the address with user and password hidden.
func (u URL) String() string {
	if u.shown == nil {
		return ""
	}
	return *u.shown
}

// Format writes what String gives, whatever the verb.
func (u URL) Format(state fmt.State, _ rune) { write(state, u.String()) }

// MarshalText gives what String gives, to JSON and YAML among others.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue gives what String gives.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// write ignores the error: fmt's own state has none to give.
func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
