package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// The elements of JUnit's XML, with the attributes that both Ant's and Jenkins's
// schema know. Times are 0: how long a replay took is no property of it, and the
// same run must give the same bytes.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Timestamp  string          `xml:"timestamp,attr"` // of the simulated start
		Host       string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       int             `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    int           `xml:"time,attr"`
		Skipped *junitSkipped `xml:"skipped"`
		Error   *junitOutcome `xml:"error"`
		Failure *junitOutcome `xml:"failure"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a suite for every scenario and a case for every autoscaler
// and assertion. A warning is a skipped case: seen, and no failure. What is
// wrong with an invalid scenario is an error.
func writeJUnit(w io.Writer, t *bench.TestReport) error {
	var all junitSuites
	for i := range t.Scenarios {
		all.Suites = append(all.Suites, junitSuiteOf(i, &t.Scenarios[i]))
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func junitSuiteOf(id int, s *bench.TestedScenario) junitSuite {
	name := s.Scenario
	if name == "" {
		name = s.File
	}
	suite := junitSuite{
		Name: junitText(name), Package: "scalelab", ID: id, Timestamp: "1970-01-01T00:00:00", Host: "localhost",
		Properties: []junitProperty{{"file", junitText(s.File)}},
	}
	if s.Seed != nil {
		suite.Properties = append(suite.Properties, junitProperty{"seed", fmt.Sprint(*s.Seed)})
	}
	if start, err := time.Parse(time.RFC3339, s.Start); err == nil {
		suite.Timestamp = start.UTC().Format("2006-01-02T15:04:05")
	}
	for _, p := range s.Problems {
		text := place(p.File, p.Line, p.Column) + p.Text
		suite.add(junitCase{Name: "the scenario is valid", Class: suite.Name, Error: &junitOutcome{junitText(p.Text), "invalid", junitText(text)}})
	}
	for _, a := range s.Autoscalers {
		class := suite.Name + "." + junitText(a.Autoscaler)
		accounted := junitCase{Name: balance, Class: class}
		if !a.Balanced {
			accounted.Failure = &junitOutcome{unbalanced, sim.SeverityError, unbalanced}
		}
		suite.add(accounted)
		for _, c := range a.Assertions {
			suite.add(junitCaseOf(c, class))
		}
	}
	return suite
}

func junitCaseOf(a bench.TestedAssertion, class string) junitCase {
	c := junitCase{Name: junitText(a.Expression), Class: class}
	text := junitText(observed(a.Assertion))
	switch {
	case a.Passed:
	case a.Severity == sim.SeverityWarn:
		c.Skipped = &junitSkipped{"warning: " + text}
	default:
		c.Failure = &junitOutcome{text, a.Severity, place(a.File, a.Line, a.Column) + c.Name + "\n" + text}
	}
	return c
}

// add counts a case.
func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// junitText is user text in one line, without what XML 1.0 cannot hold. It has
// single blanks only, as a token has, and is never empty.
func junitText(text string) string {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if isRawControl(r) {
			return -1
		}
		return r
	}, clean(text))), " ")
	if text == "" {
		return absent
	}
	return text
}
