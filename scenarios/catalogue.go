package scenarios

import (
	"embed"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/scalelab/scalelab/scenarios/strict"
)

//go:embed catalogue
var catalogue embed.FS

// Summary describes a scenario of the catalogue.
type Summary struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	DurationS   float64  `json:"duration_s"`
	Autoscalers []string `json:"autoscalers"`
}

// Names lists the embedded catalogue in alphabetical order.
func Names() []string {
	entries, err := catalogue.ReadDir("catalogue")
	if err != nil {
		panic("scenarios: the embedded catalogue cannot be read: " + err.Error())
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Describe summarizes every scenario of the catalogue.
func Describe() ([]Summary, error) {
	var list []Summary
	for _, name := range Names() {
		s, err := Embedded(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Summary{
			Name:        s.Name(),
			Description: s.Description(),
			DurationS:   s.Document.Duration.Seconds(),
			Autoscalers: s.AutoscalerNames(),
		})
	}
	return list, nil
}

// Source is the YAML of a scenario of the catalogue.
func Source(name string) ([]byte, error) {
	src, err := catalogue.ReadFile(path.Join("catalogue", name+".yaml"))
	if err != nil || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("scenario: found %s, expected a file, - or a name from the catalogue%s", strict.Shown(name), strict.DidYouMean(name, Names()))
	}
	return src, nil
}

// Embedded reads a scenario of the catalogue, whatever files there are; see
// Load.
func Embedded(name string, overrides ...string) (*Scenario, error) {
	src, err := Source(name)
	if err != nil {
		return nil, err
	}
	open := func(file string) (io.ReadCloser, error) { return catalogue.Open(path.Join("catalogue", file)) }
	return Parse(path.Join("catalogue", name+".yaml"), src, open, overrides...)
}
