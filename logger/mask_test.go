package logger_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMaskMiddle(t *testing.T) {
	for _, c := range []struct {
		name, text     string
		prefix, suffix int
		want           string
	}{
		{"the middle", "abcdefgh", 2, 3, "ab***fgh"},
		{"nothing shown", "abc", 0, 0, "***"},
		{"one rune between", "abcd", 2, 1, "ab*d"},
		{"as long as both", "abc", 2, 1, "***"},
		{"shorter than both", "ab", 2, 1, "**"},
		{"empty", "", 1, 1, ""},
		{"negative counts", "abc", -1, -5, "***"},
		{"a negative prefix", "abc", -1, 1, "**c"},
		{"a negative suffix", "abc", 1, -1, "a**"},
		{"runes, not bytes", "äöüß", 1, 1, "ä**ß"},
		{"counts whose sum overflows", "abc", math.MaxInt, math.MaxInt, "***"},
		{"a suffix beyond the text", "abc", 1, math.MaxInt, "***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, logger.MaskMiddle(c.text, c.prefix, c.suffix))
		})
	}
}

// FuzzMaskMiddle holds it against a rune by rune version.
func FuzzMaskMiddle(f *testing.F) {
	f.Add("abcdefgh", 2, 3)
	f.Add("äö\xff", -1, 1)
	f.Add("", math.MaxInt, math.MinInt)
	f.Fuzz(func(t *testing.T, text string, prefix, suffix int) {
		runes := []rune(text)
		var want strings.Builder
		for i, r := range runes {
			shown := i < prefix || len(runes)-i <= suffix
			if prefix >= len(runes) || suffix >= len(runes) || max(prefix, 0)+max(suffix, 0) >= len(runes) {
				shown = false
			}
			if shown {
				want.WriteRune(r)
			} else {
				want.WriteByte('*')
			}
		}
		got := logger.MaskMiddle(text, prefix, suffix)
		require.Equal(t, want.String(), got)
		require.Equal(t, utf8.RuneCountInString(text), utf8.RuneCountInString(got))
	})
}

type login struct{ user, password string }

func (l login) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", l.user), slog.String("password", l.password))
}

func TestSecretsAreMaskedWhereverTheyOccur(t *testing.T) {
	cyclic := map[string]any{"a": 1}
	cyclic["self"] = cyclic
	address, err := url.Parse("http://me:pw@prometheus/")
	require.NoError(t, err)
	var noURL *url.URL
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"a key", func(l *slog.Logger) { l.Info("m", "token", "pw") }, `"token":"***"`},
		{"a key in another case", func(l *slog.Logger) { l.Info("m", "AUTHORIZATION", "pw") }, `"AUTHORIZATION":"***"`},
		{"a key with words before it", func(l *slog.Logger) { l.Info("m", "X-Api_Key", "pw", "dbPassword", "pw") }, `"X-Api_Key":"***","dbPassword":"***"`},
		{"a key with a separator at its end", func(l *slog.Logger) { l.Info("m", "token_", "pw") }, `"token_":"***"`},
		{"keys that only begin so", func(l *slog.Logger) { l.Info("m", "tokens", "5", "secretName", "s", "oken", "o", "", "e") }, `"tokens":"5","secretName":"s","oken":"o","":"e"`},
		{"an empty secret", func(l *slog.Logger) { l.Info("m", "token", "") }, `"token":""`},
		{"a number", func(l *slog.Logger) { l.Info("m", "token", 1234) }, `"token":"***"`},
		{"a struct", func(l *slog.Logger) { l.Info("m", "token", struct{ A string }{"pw"}) }, `"token":"***"`},
		{"nil", func(l *slog.Logger) { l.Info("m", "token", nil) }, `"token":null`},
		{"in a group", func(l *slog.Logger) { l.Info("m", slog.Group("a", slog.Group("b", "token", "pw", "c", 1))) }, `"a":{"b":{"token":"***","c":1}}`},
		{"all of a group", func(l *slog.Logger) { l.Info("m", slog.Group("headers", "X-My", "pw", slog.Group("b", "c", 1))) }, `"headers":{"X-My":"***","b":{"c":"***"}}`},
		{"in an open group", func(l *slog.Logger) { l.WithGroup("a").Info("m", "token", "pw") }, `"a":{"token":"***"}`},
		{"an open group", func(l *slog.Logger) { l.WithGroup("headers").WithGroup("b").With("a", "pw").Info("m", "c", "pw") }, `"headers":{"b":{"a":"***","c":"***"}}`},
		{"an open group without more", func(l *slog.Logger) { l.WithGroup("headers").With("a", "pw").Info("m") }, `"headers":{"a":"***"}`},
		{"of the logger", func(l *slog.Logger) { l.With("token", "pw", "a", 1).Info("m") }, `"token":"***","a":1`},
		{"a LogValuer", func(l *slog.Logger) { l.Info("m", "login", login{"me", "pw"}) }, `"login":{"user":"me","password":"***"}`},
		{"an HTTP header", func(l *slog.Logger) {
			l.Info("m", "request", http.Header{"Cookie": {"pw"}, "Accept": {"*/*"}})
		}, `"request":{"Accept":["*/*"],"Cookie":"***"}`},
		{"all of an HTTP header", func(l *slog.Logger) { l.Info("m", "headers", http.Header{"X-My": {"pw"}}) }, `"headers":{"X-My":"***"}`},
		{"a map in a map", func(l *slog.Logger) {
			l.Info("m", "a", map[string]any{"b": map[string]string{"token": "pw"}, "n": nil})
		}, `"a":{"b":{"token":"***"},"n":null}`},
		{"a map by number", func(l *slog.Logger) { l.Info("m", "a", map[int]string{1: "x"}, "token", map[int]string{1: "pw"}) }, `"a":{"1":"x"},"token":"***"`},
		{"a URL", func(l *slog.Logger) { l.Info("m", "server", address, "none", noURL) }, `"server":"http://me:xxxxx@prometheus/","none":null`},
		{"Masked", func(l *slog.Logger) { l.Info("m", "id", logger.NewMasked("abcdefgh", 2, 2)) }, `"id":"ab****gh"`},
		{"Masked under a key", func(l *slog.Logger) { l.Info("m", "token", logger.NewMasked("abcdefgh", 2, 2)) }, `"token":"ab****gh"`},
		{"six attributes", func(l *slog.Logger) { l.Info("m", "a", 1, "b", 2, "c", 3, "d", 4, "e", 5, "token", "pw") }, `"a":1,"b":2,"c":3,"d":4,"e":5,"token":"***"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJournal()
			c.log(logger.New(j.options(logger.JSON)))
			assert.Equal(t, []string{`{"level":"INFO","msg":"m",` + c.want + `}`}, j.take(t))
		})
	}
	j := newJournal()
	logger.New(j.options(logger.JSON)).Info("m", "a", cyclic)
	assert.Contains(t, j.take(t)[0], `"self":"***"`, "a map that contains itself ends somewhere")
}

func TestWhatIsMaskedCanBeChosen(t *testing.T) {
	j := newJournal()
	o := j.options(logger.Console)
	o.Mask = logger.Mask{Keys: []string{"pin", "-"}, Prefix: 1, Suffix: 1}
	logger.New(o).Info("m", "PIN", "12345", "token", "shown", "myPin", 17, "a", map[string]any{"pin": "abc", "b": 1})
	assert.Equal(t, []string{`INFO  m PIN=1***5 token=shown myPin=** a="map[b:1 pin:a*c]"`}, j.take(t))
	o.Mask = logger.Mask{Keys: []string{}}
	logger.New(o).Info("m", "token", "shown")
	assert.Equal(t, []string{"INFO  m token=shown"}, j.take(t))
}

func TestMaskedShowsItselfNowhere(t *testing.T) {
	masked := logger.NewMasked("tr0ub4dor", 1, 1)
	holder := struct {
		hidden logger.Masked
		Shown  logger.Masked
	}{masked, masked}
	for _, value := range []any{masked, &masked, holder, []any{holder}, map[string]any{"a": masked}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), "tr0ub4dor")
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", "tr0ub4dor"))
		}
	}
	text, err := json.Marshal(holder)
	require.NoError(t, err)
	assert.Equal(t, `{"Shown":"t*******r"}`, string(text))
	assert.Equal(t, "t*******r", fmt.Sprint(masked))
	assert.Empty(t, logger.Masked{}.String())
}
