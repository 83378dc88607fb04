package config

import "strings"

// Problem is one setting that cannot be used.
type Problem struct {
	Variable string // such as ELASTI_OPERATOR_PORT; empty for what is wrong with the file as such
	Key      string // in the file, such as operator.port
	At       string // file:line:column, if it was found in a file
	Found    string // in words or in quotes; a secret's value is never in it
	Expected string
}

func (p *Problem) Error() string {
	text := "found " + p.Found + ", expected " + p.Expected
	switch {
	case p.At == "":
		return p.Variable + ": " + text
	case p.Key == "":
		return p.At + ": " + text
	case p.Variable == "":
		return p.At + ": " + p.Key + ": " + text
	}
	return p.At + ": " + p.Key + " (" + p.Variable + "): " + text
}

// Problems is everything that is wrong, the file's keys first and then the
// settings in the order of Reference.
type Problems []*Problem

// Error has a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems to errors.As.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// about says whether the file has a problem that explains why a key is missing:
// at the key, at its section, or with the file as such.
func (p Problems) about(key string) bool {
	for _, problem := range p {
		if problem.At != "" && (problem.Key == "" || problem.Key == key || strings.HasPrefix(key, problem.Key+".")) {
			return true
		}
	}
	return false
}
