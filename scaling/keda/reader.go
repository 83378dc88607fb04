package keda

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
)

// reader takes the settings of one trigger out of its metadata, and reports what
// cannot be used. Values are trimmed, and an empty one is as good as none.
type reader struct {
	trigger  *Trigger
	at       *field.Path // of the trigger
	problems *messages.Problems
	known    []string
}

func (r *reader) addf(key, format string, args ...any) {
	r.problems.Addf(r.at.Child("metadata").Child(key).String(), format, args...)
}

// text is the value of the first of the keys that has one.
func (r *reader) text(keys ...string) (value string, found bool) {
	r.known = append(r.known, keys...)
	for _, key := range keys {
		if v := strings.TrimSpace(r.trigger.Metadata[key]); v != "" {
			return v, true
		}
	}
	return "", false
}

// need is a value that has to be there.
func (r *reader) need(key, what string) string {
	v, found := r.text(key)
	if !found {
		r.addf(key, "found none, expected %s", what)
	}
	return v
}

// connection is a value that can also come from elsewhere: from the environment
// of the workload, or from a TriggerAuthentication where auth says so. Nothing is
// connected to, so it only has to be there.
func (r *reader) connection(what string, auth bool, keys ...string) (value string) {
	value, found := r.text(keys...)
	for _, key := range keys {
		if _, env := r.text(key + "FromEnv"); env {
			found = true
		}
	}
	if !found && !(auth && r.trigger.AuthenticationRef != nil) {
		r.addf(keys[0], "found none, expected %s", what)
	}
	return value
}

// number is a JSON number.
func (r *reader) number(key string, otherwise float64) float64 {
	v := otherwise
	r.json(key, "a number in quotes, such as \"0.5\"", &v)
	return v
}

// whole is a JSON number without a fraction.
func (r *reader) whole(key string, otherwise int64) int64 {
	v := otherwise
	r.json(key, "a whole number in quotes, such as \"5\"", &v)
	return v
}

func (r *reader) json(key, what string, into any) {
	text, found := r.text(key)
	if found && (text == "null" || json.Unmarshal([]byte(text), into) != nil) {
		r.addf(key, "found %.70q, expected %s", text, what)
	}
}

func (r *reader) yes(key string, otherwise bool) bool {
	text, found := r.text(key)
	if !found {
		return otherwise
	}
	v, err := strconv.ParseBool(text)
	if err != nil {
		r.addf(key, "found %.70q, expected \"true\" or \"false\"", text)
	}
	return v
}

// oneOf is a word out of some.
func (r *reader) oneOf(key, otherwise string, words ...string) string {
	text, found := r.text(key)
	if !found {
		return otherwise
	}
	if !slices.Contains(words, text) {
		r.addf(key, "found %.70q, %s", text, messages.OneOf(text, words))
	}
	return text
}

// refuse reports a setting that asks for something that is not simulated.
func (r *reader) refuse(key, why string) {
	if r.yes(key, false) {
		r.addf(key, "found true, expected false: %s", why)
	}
}

// misspelt reports settings that KEDA would pass over and that are nearly
// spelt like one that it knows.
func (r *reader) misspelt(others ...string) {
	known := append(r.known, others...)
	for _, key := range slices.Sorted(maps.Keys(r.trigger.Metadata)) {
		if slices.Contains(known, strings.TrimSuffix(key, "FromEnv")) {
			continue
		}
		if near := messages.Nearest(key, known); near != "" {
			r.addf(key, "found it, which KEDA passes over; did you mean %q?", near)
		}
	}
}
