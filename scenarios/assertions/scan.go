package assertions

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scalelab/scalelab/scenarios/strict"
)

// kind is what a token can stand beside.
type kind uint8

const (
	operand  kind = iota // a term, true, false
	operator             // also not, and, or
	function
	open
	closed
	comma
)

// token is a piece of an expression.
type token struct {
	kind     kind
	from, to int    // bytes of the source
	text     string // as the parser reads it: terms are x0, x1, ...
	at       int    // of text, in what the parser reads
}

// scanner takes an expression apart into tokens, and resolves its terms.
type scanner struct {
	source string
	names  Names
	at     int // bytes that are done

	tokens []token
	terms  []term
}

var (
	blanks    = regexp.MustCompile(`^\s+`)
	duration  = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+`)
	number    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?%?`)
	numberish = regexp.MustCompile(`^[0-9][\pL\pN_.%]*`)
	chain     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*`)
	operators = regexp.MustCompile(`^(<=|>=|==|!=|&&|\|\||[-<>+*/!])`)
)

// words have a meaning of their own.
var words = map[string]kind{
	"and": operator, "or": operator, "not": operator, "true": operand, "false": operand,
	"min": function, "max": function, "abs": function,
}

func (s *scanner) rest() string { return s.source[s.at:] }

// scan reads all tokens.
func (s *scanner) scan() *Problem {
	for {
		s.at += len(blanks.FindString(s.rest()))
		if s.at == len(s.source) {
			break
		}
		if problem := s.next(); problem != nil {
			return problem
		}
	}
	if len(s.tokens) == 0 {
		return problemf(0, "found nothing, expected a comparison such as latency.p99 < 2s")
	}
	if !slices.ContainsFunc(s.terms, func(t term) bool { return t.literal == nil }) {
		return problemf(s.tokens[0].from, "found no figure, expected one such as latency.p99")
	}
	return nil
}

// next reads one token.
func (s *scanner) next() *Problem {
	rest := s.rest()
	name := chain.FindString(rest)
	kind, known := words[name]
	switch {
	case known:
		s.add(kind, name, name)
	case name != "":
		return s.figure(name)
	case rest[0] >= '0' && rest[0] <= '9':
		return s.literal()
	case rest[0] == '(':
		s.add(open, "(", "(")
	case rest[0] == ')':
		s.add(closed, ")", ")")
	case rest[0] == ',':
		s.add(comma, ",", ",")
	default:
		sign := operators.FindString(rest)
		if sign == "" {
			return s.stranger()
		}
		s.add(operator, sign, sign)
	}
	return nil
}

// add notes a token and goes on behind it.
func (s *scanner) add(k kind, written, text string) {
	s.tokens = append(s.tokens, token{kind: k, from: s.at, to: s.at + len(written), text: text})
	s.at += len(written)
}

// addTerm notes a term that ends at a byte.
func (s *scanner) addTerm(t term, end int) {
	t.text = s.source[s.at:end]
	s.add(operand, t.text, variable(len(s.terms)))
	s.terms = append(s.terms, t)
}

// variable is what the parser reads for a term.
func variable(i int) string { return "x" + strconv.Itoa(i) }

// stranger refuses what is no token.
func (s *scanner) stranger() *Problem {
	first, _ := utf8.DecodeRuneInString(s.rest())
	found := strict.Shown(string(first))
	switch first {
	case '=':
		return problemf(s.at, "found =, expected == to compare")
	case '%':
		return problemf(s.at, "found %%, expected it right behind a number, such as 0.5%%")
	case '{':
		return problemf(s.at, "found {, expected it behind a figure, such as latency.p99{phase=NAME}")
	case '"', '\'':
		return problemf(s.at, `found a text, expected it in of("NAME") or {phase="NAME"}`)
	case '.':
		return problemf(s.at, "found ., expected a digit before it")
	}
	return problemf(s.at, "found %s, expected figures, numbers, comparisons, + - * / ( ), and, or, not", found)
}

// literal reads 12, 2s, 1m30s or 0.5%.
func (s *scanner) literal() *Problem {
	written := numberish.FindString(s.rest())
	wrong := func() *Problem {
		return problemf(s.at, "found %s, expected a number, a duration such as 1m30s, or a share such as 0.5%%", strict.Shown(written))
	}
	if text := duration.FindString(s.rest()); text != "" {
		if text != written {
			return wrong()
		}
		d, err := time.ParseDuration(text)
		if err != nil || d > strict.MaxDuration {
			return problemf(s.at, "found %s, expected at most %s", strict.Shown(text), strict.FormatDuration(strict.MaxDuration))
		}
		s.addTerm(term{literal: new(d.Seconds()), unit: Seconds}, s.at+len(text))
		return nil
	}
	text := number.FindString(s.rest())
	if !strings.HasPrefix(text, written) { // the sign of an exponent is no part of written
		return wrong()
	}
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n > strict.MaxNumber {
		return problemf(s.at, "found %s, expected at most 1e15", strict.Shown(text))
	}
	t := term{literal: new(n)}
	if percent {
		t = term{literal: new(n / 100), unit: Share}
	}
	s.addTerm(t, s.at+len(text))
	return nil
}

// quoted reads a text in quotes at the start of rest.
func quoted(rest string) (text string, length int, ok bool) {
	if strings.HasPrefix(rest, "'") {
		end := strings.IndexByte(rest[1:], '\'')
		if end < 0 {
			return "", 0, false
		}
		return rest[1 : 1+end], end + 2, true
	}
	if !strings.HasPrefix(rest, `"`) {
		return "", 0, false
	}
	prefix, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return "", 0, false
	}
	text, err = strconv.Unquote(prefix)
	return text, len(prefix), err == nil
}

// shownList is a list of choices for a message.
func shownList(choices []string) string {
	if len(choices) == 1 {
		return strict.Shown(choices[0])
	}
	const most = 12
	shown := make([]string, 0, most)
	for i, c := range choices {
		if i == most {
			shown = append(shown, "...")
			break
		}
		shown = append(shown, strict.Shown(c))
	}
	return fmt.Sprintf("one of %s", strings.Join(shown, ", "))
}
