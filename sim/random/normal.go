package random

import "math"

// Norm draws from the standard normal distribution by the ziggurat of
// Marsaglia and Tsang (2000), with layer and position taken from different bits
// as Doornik (2005) asks for. The tables are computed, not copied.

const (
	layers = 256
	// base is the x at which the lowest layer's rectangle ends and the tail
	// begins; layerArea is the area of every layer under exp(-x^2/2). The two
	// are what closes the stack at x = 0 exactly (solved with 40 digits).
	base      = 3.654152885361008771645429720399
	layerArea = 0.004928673233974655347361775402336
)

// ziggurat holds the right edges of the layers from the bottom up, edge[0]
// being the width of a rectangle with the area of base and tail together.
var ziggurat = newZiggurat()

type layerTable struct {
	edge   [layers + 1]float64
	height [layers + 1]float64 // exp(-edge^2/2)
}

func newZiggurat() (t layerTable) {
	t.edge[0] = layerArea / exp(-base*base/2)
	t.edge[1] = base
	t.height[1] = exp(-base * base / 2)
	for i := 2; i < layers; i++ {
		t.height[i] = t.height[i-1] + layerArea/t.edge[i-1]
		t.edge[i] = math.Sqrt(-2 * log(t.height[i]))
	}
	t.height[layers] = 1
	return t
}

// Norm draws from the normal distribution with mean 0 and standard deviation 1.
func (s *Stream) Norm() float64 {
	u := s.Uint64()
	if x, inside := normInside(u); inside {
		return x
	}
	return s.normBeside(u)
}

// normInside is the point of u, and whether it is in the part of its layer that
// is under the curve as a whole.
func normInside(u uint64) (x float64, inside bool) {
	layer := u % layers
	// The upper 54 bits as a number in [-1, 1).
	x = float64(int64(u)>>10) * 0x1p-53 * ziggurat.edge[layer]
	return x, math.Abs(x) < ziggurat.edge[layer+1]
}

// normBeside goes on with a point that is not inside.
func (s *Stream) normBeside(u uint64) float64 {
	for {
		x, inside := normInside(u)
		layer := u % layers
		switch {
		case inside:
			return x
		case layer == 0:
			return math.Copysign(s.normalTail(), x)
		}
		low, high := ziggurat.height[layer], ziggurat.height[layer+1]
		if low+float64(s.Float64()*(high-low)) < exp(-x*x/2) {
			return x
		}
		u = s.Uint64()
	}
}

// normalTail draws |x| > base (Marsaglia 1964).
func (s *Stream) normalTail() float64 {
	for {
		x := s.Exp() / base
		if y := s.Exp(); y+y > x*x {
			return base + x
		}
	}
}
