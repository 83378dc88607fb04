package layering

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheHouseIsInOrder(t *testing.T) {
	found, err := Check(os.DirFS("../.."))
	require.NoError(t, err)
	for _, v := range found {
		t.Error(v)
	}
}

func TestEveryRoomOfTheTableExists(t *testing.T) {
	for _, r := range rooms {
		assert.DirExists(t, "../../"+r.path)
	}
}

func TestWhatBreaksTheOrderIsFound(t *testing.T) {
	for name, c := range map[string]struct{ file, source, want string }{
		"an upward import": {
			"sim/cluster/x.go", "package cluster\nimport _ \"github.com/scalelab/scalelab/sim\"",
			"sim/cluster/x.go:2:8: sim/cluster must not import sim: the arrow points up",
		},
		"from the loop to its actuator": {
			"sim/x.go", "package sim\nimport _ \"github.com/scalelab/scalelab/sim/clientset\"",
			"sim/x.go:2:8: sim must not import sim/clientset: the arrow points up",
		},
		"a sideways import": {
			"scaling/hpa/x.go", "package hpa\nimport _ \"github.com/scalelab/scalelab/scaling/elasti\"",
			"scaling/hpa/x.go:2:8: scaling/hpa must not import scaling/elasti: the arrow points up",
		},
		"the wall clock": {
			"sim/x.go", "package sim\nimport \"time\"\nvar x = time.Now()",
			"sim/x.go:3:9: time.Now in a core package: instants, settings and dice come in as arguments",
		},
		"the wall clock under another name": {
			"scaling/x.go", "package scaling\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }",
			"scaling/x.go:3:12: clock.Sleep in a core package: instants, settings and dice come in as arguments",
		},
		"global dice": {
			"sim/traffic/x.go", "package traffic\nimport _ \"math/rand/v2\"",
			"sim/traffic/x.go:2:8: math/rand/v2 in a core package: every consumer of randomness has its own named stream",
		},
		"client-go where it is not needed": {
			"scaling/hpa/x.go", "package hpa\nimport _ \"k8s.io/client-go/kubernetes\"",
			"scaling/hpa/x.go:2:8: scaling/hpa must not need client-go (k8s.io/client-go/kubernetes)",
		},
		"an unknown folder": {
			"attic/x.go", "package attic",
			"attic/x.go:1:1: attic is no room of the house: give it a place in internal/layering",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := Check(fstest.MapFS{c.file: {Data: []byte(c.source)}})
			require.NoError(t, err)
			require.Len(t, found, 1)
			assert.Equal(t, c.want, found[0].String())
		})
	}
}

func TestWhatIsAllowed(t *testing.T) {
	found, err := Check(fstest.MapFS{
		"cmd/scalelab/x.go":  {Data: []byte("package main\nimport (\n_ \"github.com/scalelab/scalelab/sim/clientset\"\n\"time\"\n)\nvar x = time.Now()")},
		"sim/metrics/p/x.go": {Data: []byte("package p\nimport _ \"github.com/scalelab/scalelab/sim/metrics\"")},
		"sim/x_test.go":      {Data: []byte("package sim\nimport \"time\"\nvar x = time.Now()")},
		"sim/testdata/x.go":  {Data: []byte("not go")},
		"sim/cluster/y.go":   {Data: []byte("package cluster\nimport \"time\"\nvar x = time.Second")},
	})
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestFilesThatCannotBeParsedAreAnError(t *testing.T) {
	_, err := Check(fstest.MapFS{"sim/x.go": {Data: []byte("not go")}})
	assert.ErrorContains(t, err, "sim/x.go:1:1")
}
