package messages

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSignalOf(t *testing.T) {
	d := Decision{Signals: []Signal{{Name: "panic", Value: 1, Flag: true}, {Name: "excess", Value: -3}}}
	assert.Equal(t, []float64{1, -3, 0}, []float64{d.Signal("panic"), d.Signal("excess"), d.Signal("none")})
}
