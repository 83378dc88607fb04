package config

import (
	"log/slog"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind is what a setting's text has to be.
type kind struct {
	expect string // what is accepted, in words
	// parse gives the value of a text, or false if the text is not of the kind.
	parse func(text string) (any, bool)
	// tag is the YAML type besides text that the file may have it in.
	tag string
	// hides says that a text of this kind that is not accepted must not be shown.
	hides func(text string) bool
}

var (
	dnsLabel  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	dnsName   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$`)
	httpToken = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")
)

const urlExpected = "an http or https URL without query and fragment"

var port = whole(math.MaxUint16)

// maxDNSName is the length of a DNS name, RFC 1123.
const maxDNSName = 253

var kinds = map[string]kind{
	"label":    {expect: "a DNS label (at most 63 of a-z, 0-9 and inner -)", parse: matching(dnsLabel), hides: never},
	"name":     {expect: "a DNS name (labels of a-z, 0-9 and inner -, with dots between them)", parse: matching(dnsName), hides: never},
	"port":     {expect: "a port from 1 to 65535", parse: port, tag: "!!int", hides: never},
	"count":    {expect: "a whole number from 1 to 2147483647", parse: whole(math.MaxInt32), tag: "!!int", hides: never},
	"duration": {expect: "a positive duration such as 30s, or whole seconds", parse: duration(1), tag: "!!int", hides: never},
	"pause":    {expect: "a duration such as 30s, or whole seconds, not negative", parse: duration(0), tag: "!!int", hides: never},
	"level":    {expect: "one of debug, info, warn, error", parse: level, hides: never},
	"format":   {expect: "one of json, console", parse: format, hides: never},
	"header":   {expect: "the name of an HTTP header", parse: matching(httpToken), hides: never},
	"path":     {expect: "the path of a file", parse: path, hides: never},
	"url":      {expect: urlExpected, parse: address, hides: mayHoldPassword},
	"secret":   {expect: "a header's value: visible ASCII and inner spaces", parse: headerValue, hides: func(string) bool { return true }},
}

func never(string) bool { return false }

func matching(pattern *regexp.Regexp) func(string) (any, bool) {
	return func(text string) (any, bool) { return text, len(text) <= maxDNSName && pattern.MatchString(text) }
}

func whole(most int) func(string) (any, bool) {
	return func(text string) (any, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 1 && n <= most
	}
}

// duration takes whole seconds or a Go duration, of at least so many
// nanoseconds.
func duration(least time.Duration) func(string) (any, bool) {
	return func(text string) (any, bool) {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			d := time.Duration(seconds) * time.Second
			return d, d >= least && seconds >= 0 && seconds <= int64(math.MaxInt64/time.Second)
		}
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= least
	}
}

func level(text string) (any, bool) {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(text, l.String()) {
			return l, true
		}
	}
	return slog.LevelInfo, false
}

func format(text string) (any, bool) { return text, text == "json" || text == "console" }

func path(text string) (any, bool) { return text, text != "" && !strings.ContainsRune(text, 0) }

func address(text string) (any, bool) {
	u, err := NewURL(text)
	return u, err == nil
}

// mayHoldPassword is generous: what follows ? or # may be a token.
func mayHoldPassword(text string) bool { return strings.ContainsAny(text, "@?#") }

// headerValue refuses among others the newline that ends many files with a
// secret, which net/http would refuse at every query.
func headerValue(text string) (any, bool) {
	for _, r := range text {
		if r < ' ' || r > '~' {
			return Secret{}, false
		}
	}
	return NewSecret(text), text != "" && strings.TrimSpace(text) == text
}

// render is the text that parses to the value. It reveals secrets.
func render(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case slog.Level:
		return strings.ToLower(x.String())
	case Secret:
		return x.Reveal()
	case URL:
		return x.Reveal()
	case string:
		return x
	}
	return strconv.FormatInt(v.Int(), 10)
}
