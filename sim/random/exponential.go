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

func newExpZiggurat() *expLayerTable {
	t := new(expLayerTable)
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
	layer := u % expLayers
	x := float64(u>>11) * 0x1p-53 * expZiggurat.edge[layer]
	if x < expZiggurat.edge[layer+1] {
		return x
	}
	return s.expBeside(layer, x)
}

// expBeside goes on where a point has missed the safe part of its layer.
func (s *Stream) expBeside(layer uint64, x float64) float64 {
	shift := 0.0
	for {
		if layer == 0 {
			shift += expBase
		} else {
			low, high := expZiggurat.height[layer], expZiggurat.height[layer+1]
			if low+float64(s.Float64()*(high-low)) < exp(-x) {
				return shift + x
			}
		}
		u := s.Uint64()
		layer = u % expLayers
		x = float64(u>>11) * 0x1p-53 * expZiggurat.edge[layer]
		if x < expZiggurat.edge[layer+1] {
			return shift + x
		}
	}
}
