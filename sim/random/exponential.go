package random

// Exp draws by the ziggurat of Marsaglia and Tsang (2000), laid out as for Norm.
// The tail beyond the base needs no method of its own: without a memory, it is
// the base plus another draw.

const (
	expLayers = 256
	// expBase is the x at which the lowest layer's rectangle ends; expArea is the
	// area of every layer under exp(-x): what closes the stack at x = 0 exactly
	// (solved with 40 digits).
	expBase = 7.697117470131049714044628048015
	expArea = 0.003949659822581557219977571956815
)

// expZiggurat holds the right edges of the layers from the bottom up, as ziggurat
// does.
var expZiggurat = newExpZiggurat()

type expLayerTable struct {
	edge   [expLayers + 1]float64
	height [expLayers + 1]float64 // exp(-edge)
}

func newExpZiggurat() (t expLayerTable) {
	t.edge[0] = expArea / exp(-expBase)
	t.edge[1] = expBase
	t.height[1] = exp(-expBase)
	for i := 2; i < expLayers; i++ {
		t.height[i] = t.height[i-1] + expArea/t.edge[i-1]
		t.edge[i] = -log(t.height[i])
	}
	t.height[expLayers] = 1
	return t
}

// Exp draws from the exponential distribution with mean 1.
func (s *Stream) Exp() float64 {
	u := s.Uint64()
	if x, inside := expInside(u); inside {
		return x
	}
	return s.expBeside(u)
}

// Exps fills dst with what Exp gives, at less cost.
func (s *Stream) Exps(dst []float64) {
	for i := range dst {
		u := s.Uint64()
		x, inside := expInside(u)
		if !inside {
			x = s.expBeside(u)
		}
		dst[i] = x
	}
}

// expInside is the point of u, and whether it is in the part of its layer that is
// under the curve as a whole: all but one in a hundred are.
func expInside(u uint64) (x float64, inside bool) {
	layer := u % expLayers
	x = float64(u>>11) * 0x1p-53 * expZiggurat.edge[layer]
	return x, x < expZiggurat.edge[layer+1]
}

// expBeside goes on with a point that is not inside.
func (s *Stream) expBeside(u uint64) float64 {
	beyond := 0.0
	for {
		x, inside := expInside(u)
		layer := u % expLayers
		switch {
		case inside:
			return beyond + x
		case layer == 0:
			beyond += expBase
		default:
			low, high := expZiggurat.height[layer], expZiggurat.height[layer+1]
			if low+float64(s.Float64()*(high-low)) < exp(-x) {
				return beyond + x
			}
		}
		u = s.Uint64()
	}
}
