package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// maxQuoted is how much of the server's own words an error repeats, in runes.
const maxQuoted = 200

// answer is the body of an answer of the query API.
type answer struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// element is one series of a vector.
type element struct {
	Value     *sample         `json:"value"`
	Histogram json.RawMessage `json:"histogram"`
}

// sample is a number as Prometheus writes it: an instant in seconds and the value
// as text, [1767603600.123, "0.5"].
type sample float64

// UnmarshalJSON reads the pair; the instant must be a number, and is dropped.
func (s *sample) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("found %d parts of a value, expected an instant and a number", len(pair))
	}
	var at *float64
	if err := json.Unmarshal(pair[0], &at); err != nil || at == nil {
		return errors.New("found a value without an instant")
	}
	var number *string
	if err := json.Unmarshal(pair[1], &number); err != nil || number == nil {
		return errors.New("found a value that is no text, expected a number in quotes")
	}
	value, err := strconv.ParseFloat(*number, 64)
	if err != nil {
		return errors.New("found a value that is no number")
	}
	*s = sample(value)
	return nil
}

// read finds the only number in an answer of status 200.
func (s *Scaler) read(body []byte) (float64, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	switch {
	case a.Status != "success":
		return 0, fmt.Errorf("found a status other than success%s", s.words(a))
	case len(a.Warnings) > 0:
		return 0, fmt.Errorf("found a warning, so that data may be missing: %s", s.quote(a.Warnings[0]))
	}
	value, err := a.number()
	switch {
	case err != nil:
		return 0, err
	case math.IsInf(value, 0):
		return 0, fmt.Errorf("found the value %v, expected a finite one", value)
	}
	return value, nil
}

func (a *answer) number() (float64, error) {
	switch a.Data.ResultType {
	case "scalar":
		var only *sample
		if err := json.Unmarshal(a.Data.Result, &only); err != nil {
			return 0, fmt.Errorf("read the scalar: %w", err)
		}
		if only == nil {
			return 0, errors.New("found a scalar without a value")
		}
		return float64(*only), nil
	case "vector":
		var elements []element
		if err := json.Unmarshal(a.Data.Result, &elements); err != nil {
			return 0, fmt.Errorf("read the vector: %w", err)
		}
		return number(elements)
	}
	return 0, fmt.Errorf("found %s, expected a vector or a scalar", a.kind())
}

// kind names a result that is no number, in our words.
func (a *answer) kind() string {
	switch a.Data.ResultType {
	case "":
		return "no type of result"
	case "matrix", "string":
		return "a " + a.Data.ResultType
	}
	return "an unknown type of result"
}

func number(elements []element) (float64, error) {
	switch {
	case len(elements) == 0:
		return 0, errors.New("the query's result is empty")
	case len(elements) > 1:
		return 0, fmt.Errorf("found %d elements, expected one", len(elements))
	case elements[0].Value == nil && elements[0].Histogram != nil:
		return 0, errors.New("found a histogram, expected a number")
	case elements[0].Value == nil:
		return 0, errors.New("found an element without a value")
	}
	return float64(*elements[0].Value), nil
}

// refusal is the error of an answer that is not 200: what Prometheus says, if
// it is Prometheus that says it.
func (s *Scaler) refusal(status int, body []byte) error {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		a = answer{}
	}
	return fmt.Errorf("found status %d, expected 200%s", status, s.words(a))
}

// words are what the server says of its failure.
func (s *Scaler) words(a answer) string {
	if a.Error == "" {
		return ""
	}
	return fmt.Sprintf(": %s: %s", s.quote(a.ErrorType), s.quote(a.Error))
}

// quote repeats what a server says: without our secrets, which it may echo, and
// in bounds. Blackening comes first, or half a secret could be left at the end.
func (s *Scaler) quote(text string) string {
	return fmt.Sprintf("%.*q", maxQuoted, s.secrets.Replace(text))
}
