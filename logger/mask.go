package logger

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// hidden is shown in place of a secret. It does not tell the secret's length.
const hidden = "***"

// maxMapDepth is how deep maps in maps are shown.
const maxMapDepth = 16

// MaskMiddle replaces the runes between the first prefix and the last suffix
// ones by *. A text that is not longer than both becomes all *, and negative
// counts are 0. The result has as many runes as the text.
func MaskMiddle(text string, prefix, suffix int) string {
	prefix, suffix = max(0, prefix), max(0, suffix)
	n := utf8.RuneCountInString(text)
	if prefix >= n || suffix >= n-prefix {
		return strings.Repeat("*", n)
	}
	runes := []rune(text)
	return string(runes[:prefix]) + strings.Repeat("*", n-prefix-suffix) + string(runes[n-suffix:])
}

// Masked is a text that is only shown as MaskMiddle gives it: by slog, every verb
// of fmt, JSON and YAML. Under a key that is masked it looks the same. The zero
// Masked shows nothing.
type Masked struct {
	text           *string // behind a pointer: fmt prints unexported fields of foreign structs
	prefix, suffix int
}

// NewMasked hides a text but for its first prefix and last suffix runes.
func NewMasked(text string, prefix, suffix int) Masked { return Masked{&text, prefix, suffix} }

// String is what may be shown.
func (m Masked) String() string {
	if m.text == nil {
		return ""
	}
	return MaskMiddle(*m.text, m.prefix, m.suffix)
}

// Format writes what String gives, whatever the verb.
func (m Masked) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, m.String()) }

// MarshalText gives what String gives.
func (m Masked) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// LogValue gives what String gives.
func (m Masked) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Mask says which attributes are masked.
type Mask struct {
	// Keys are the names, of attributes, groups and keys of maps, whose values are
	// masked with all that is in them; nil: DefaultMaskedKeys. Case and the
	// characters - _ . and space do not matter, and words before the name do not
	// either: token also means accessToken and X-Auth-Token.
	Keys []string
	// Prefix and Suffix are how many runes of a masked text are shown, as
	// MaskMiddle does. If both are 0, it is shown as ***.
	Prefix, Suffix int
}

// DefaultMaskedKeys are the names that are masked unless Mask says otherwise.
func DefaultMaskedKeys() []string {
	return []string{"authorization", "authorization header", "headers", "token", "password", "passwd", "passphrase",
		"secret", "credentials", "api key", "access key", "private key", "cookie"}
}

type masker struct {
	keys           []string // folded, as are the names they are compared with
	last           [256]bool
	prefix, suffix int
}

func newMasker(m Mask) *masker {
	if m.Keys == nil {
		m.Keys = DefaultMaskedKeys()
	}
	masker := &masker{prefix: max(0, m.Prefix), suffix: max(0, m.Suffix)}
	for _, key := range m.Keys {
		var folded []byte
		for i := range len(key) {
			if !separates(key[i]) {
				folded = append(folded, lower(key[i]))
			}
		}
		if len(folded) > 0 {
			masker.keys = append(masker.keys, string(folded))
			masker.last[folded[len(folded)-1]] = true
		}
	}
	return masker
}

func separates(c byte) bool { return c == '-' || c == '_' || c == '.' || c == ' ' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// matches says whether a name ends with a masked key. It allocates nothing.
func (m *masker) matches(name string) bool {
	if name == "" || !separates(name[len(name)-1]) && !m.last[lower(name[len(name)-1])] {
		return false
	}
	for _, key := range m.keys {
		if endsWith(name, key) {
			return true
		}
	}
	return false
}

func endsWith(name, folded string) bool {
	left := len(folded)
	for i := len(name) - 1; i >= 0 && left > 0; i-- {
		if separates(name[i]) {
			continue
		}
		if left--; lower(name[i]) != folded[left] {
			return false
		}
	}
	return left == 0
}

// clean says that an attribute is certainly shown as it is.
func (m *masker) clean(a slog.Attr) bool {
	if m.matches(a.Key) {
		return false
	}
	switch a.Value.Kind() {
	case slog.KindLogValuer:
		return false
	case slog.KindGroup:
		for _, member := range a.Value.Group() {
			if !m.clean(member) {
				return false
			}
		}
	case slog.KindAny:
		value := a.Value.Any()
		_, isURL := value.(*url.URL)
		return !isURL && reflect.ValueOf(value).Kind() != reflect.Map
	}
	return true
}

// all appends attributes, masked. hide says that all of them are secrets.
func (m *masker) all(to, attrs []slog.Attr, hide bool) []slog.Attr {
	for _, a := range attrs {
		to = append(to, m.attr(a, hide))
	}
	return to
}

func (m *masker) attr(a slog.Attr, hide bool) slog.Attr {
	hide = hide || m.matches(a.Key)
	if a.Value.Kind() == slog.KindLogValuer {
		if masked, ok := a.Value.Any().(Masked); ok {
			return slog.Attr{Key: a.Key, Value: masked.LogValue()}
		}
	}
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		v = slog.GroupValue(m.all(nil, v.Group(), hide)...)
	case v.Kind() == slog.KindAny:
		v = slog.AnyValue(m.value(v.Any(), hide, maxMapDepth))
	case hide:
		v = slog.StringValue(m.text(v.String()))
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// text is what is shown of a secret; nothing is shown as nothing.
func (m *masker) text(secret string) string {
	if secret == "" || m.prefix+m.suffix > 0 {
		return MaskMiddle(secret, m.prefix, m.suffix)
	}
	return hidden
}

// value masks a value of a type that slog does not know. Maps are copied with
// their names kept; anything else is shown as it is or hidden as a whole. Maps
// below depth are hidden: one may contain itself.
func (m *masker) value(value any, hide bool, depth int) any {
	v := reflect.ValueOf(value)
	switch {
	case value == nil:
		return nil
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String && depth > 0:
		shown := make(map[string]any, v.Len())
		for pairs := v.MapRange(); pairs.Next(); {
			name := pairs.Key().String()
			shown[name] = m.value(pairs.Value().Interface(), hide || m.matches(name), depth-1)
		}
		return shown
	case hide || depth == 0:
		if text, ok := value.(string); ok {
			return m.text(text)
		}
		return hidden
	}
	if u, ok := value.(*url.URL); ok && u != nil {
		return u.Redacted()
	}
	return value
}
