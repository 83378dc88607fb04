package assertions

import (
	"regexp"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/scenarios/strict"
)

var (
	call     = regexp.MustCompile(`^of\s*\(`)
	closing  = regexp.MustCompile(`^\s*\)`)
	dotted   = regexp.MustCompile(`^\.([A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*)`)
	selector = regexp.MustCompile(`^\s*\{`)
	phaseKey = regexp.MustCompile(`^\s*phase\s*=\s*`)
	bareName = regexp.MustCompile(`^[^\s{}"'=,]+`)
	ending   = regexp.MustCompile(`^\s*\}`)
)

// figure reads a figure that begins with a chain of names: latency.p99,
// oracle.latency.p99, of("hpa-70").latency.p99, each with or without a phase.
func (s *scanner) figure(names string) *Problem {
	var t term
	end, from := s.at+len(names), s.at // of the figure itself
	if begin := call.FindString(s.rest()); begin != "" {
		var problem *Problem
		if t.autoscaler, from, problem = s.of(s.at + len(begin)); problem != nil {
			return problem
		}
		rest := dotted.FindStringSubmatch(s.source[from:])
		if rest == nil {
			return problemf(from, `found %s, expected a figure such as of("NAME").latency.p99`, s.found(from))
		}
		names, end = rest[1], from+len(rest[0])
		from++
	} else if whose, rest, several := strings.Cut(names, "."); several && !grouped(names) && slices.Contains(s.names.Autoscalers, whose) {
		t.autoscaler, names, from = whose, rest, s.at+len(whose)+1
	}
	var known bool
	if t.figure, known = figureOf(names); !known {
		return s.unknown(names, from, t.autoscaler != "")
	}
	t.unit = t.figure.unit
	if t.figure.priced && !s.names.Priced {
		return problemf(from, "found %s without prices, expected cost: {podHour: PRICE} in the scenario", names)
	}
	end, problem := s.phase(&t, end)
	if problem != nil {
		return problem
	}
	s.addTerm(t, end)
	return nil
}

// grouped says whether a name begins as a figure does.
func grouped(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	return len(within(group)) > 0
}

// of reads the name and the closing bracket of of("NAME").
func (s *scanner) of(at int) (name string, end int, problem *Problem) {
	at += len(blanks.FindString(s.source[at:]))
	name, length, ok := quoted(s.source[at:])
	if !ok {
		return "", 0, problemf(at, `found %s, expected the name of an autoscaler in quotes, such as of("hpa-70")`, s.found(at))
	}
	if !slices.Contains(s.names.Autoscalers, name) {
		return "", 0, problemf(at, "found %s, expected %s%s", strict.Shown(name), shownList(s.names.Autoscalers), strict.DidYouMean(name, s.names.Autoscalers))
	}
	end = at + length
	bracket := closing.FindString(s.source[end:])
	if bracket == "" {
		return "", 0, problemf(end, "found %s, expected )", s.found(end))
	}
	return name, end + len(bracket), nil
}

// phase reads {phase=NAME} behind a figure, if it is there.
func (s *scanner) phase(t *term, end int) (int, *Problem) {
	brace := selector.FindString(s.source[end:])
	if brace == "" {
		return end, nil
	}
	if !t.figure.phased {
		return 0, problemf(end+len(brace)-1, "found a phase for %s, expected one only for latency, wait and requests", t.figure.name)
	}
	at := end + len(brace)
	key := phaseKey.FindString(s.source[at:])
	if key == "" {
		return 0, problemf(at, "found %s, expected phase=NAME", s.found(at))
	}
	at += len(key)
	name, length, ok := quoted(s.source[at:])
	if !ok {
		name = bareName.FindString(s.source[at:])
		length = len(name)
	}
	if length == 0 {
		return 0, problemf(at, "found %s, expected the name of a phase, in quotes if it is more than a word", s.found(at))
	}
	if !slices.Contains(s.names.Phases, name) {
		return 0, problemf(at, "found %s, expected %s%s", strict.Shown(name), shownList(s.names.Phases), strict.DidYouMean(name, s.names.Phases))
	}
	t.phase, t.inPhase = name, true
	at += length
	brace = ending.FindString(s.source[at:])
	if brace == "" {
		return 0, problemf(at, "found %s, expected }", s.found(at))
	}
	return at + len(brace), nil
}

// found is the piece of the source at a byte, for a message.
func (s *scanner) found(at int) string {
	word := strings.TrimSpace(s.source[at:])
	if i := strings.IndexAny(word, " \t\n"); i >= 0 {
		word = word[:i]
	}
	if word == "" {
		return "the end"
	}
	return strict.Shown(word)
}

// unknown says which names there are, as near as possible to what is wrong.
func (s *scanner) unknown(names string, from int, foreign bool) *Problem {
	if group, name, ok := strings.Cut(names, "."); ok {
		if strings.HasPrefix(names, "activator.wait.") {
			group, name = "activator.wait", strings.TrimPrefix(names, "activator.wait.")
		}
		if known := within(group); len(known) > 0 {
			return problemf(from+len(group)+1, "found %s, expected %s%s", strict.Shown(name), shownList(known), strict.DidYouMean(name, known))
		}
	}
	if known := within(names); len(known) > 0 {
		return problemf(from, "found %s, expected %s. and %s", names, names, shownList(known))
	}
	known := Figures()
	if !foreign {
		if slices.Contains(s.names.Autoscalers, names) {
			return problemf(from, "found %s, expected a figure of it such as %s.latency.p99", names, names)
		}
		if name := s.unquoted(); name != "" {
			return problemf(from, "found %s, expected of(%q) before a figure: the name is no single word", strict.Shown(name), name)
		}
		for _, name := range s.names.Autoscalers {
			known = append(known, name+suffix(names))
		}
	}
	return problemf(from, "found %s, expected a figure such as latency.p99 or requests.failed%s", strict.Shown(names), strict.DidYouMean(names, known))
}

// suffix is what follows the first name of a chain, with its dot.
func suffix(names string) string {
	if _, rest, ok := strings.Cut(names, "."); ok {
		return "." + rest
	}
	return ""
}

// unquoted is the autoscaler with an odd name that stands here without of().
func (s *scanner) unquoted() string {
	longest := ""
	for _, name := range s.names.Autoscalers {
		if strings.HasPrefix(s.rest(), name+".") && len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}
