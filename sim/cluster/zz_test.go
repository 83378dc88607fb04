package cluster

import (
	"os"
	"strconv"
	"testing"
	"fmt"

	"github.com/scalelab/scalelab/sim/random"
)

func TestZZ(t *testing.T) {
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	n, _ := strconv.Atoi(os.Getenv("N"))
	bad := 0
	for seed := from; seed < from+n; seed++ {
		for _, e := range []bool{true, false} {
			func() {
				defer func() {
					if r := recover(); r != nil {
						bad++
						fmt.Println("PANIC seed", seed, e, r)
						if os.Getenv("V") != "" { panic(r) }
					}
				}()
				d := newDuel(random.Seed(seed), e)
				if !e && !d.fast.foresight {
					return
				}
				if err := d.run(); err != nil {
					bad++
					s := err.Error()
					if os.Getenv("V") != "" {
						d.fail(t, err)
					}
					if len(s) > 300 { s = s[:300] }
					fmt.Println("seed", seed, "event", e, s)
				}
			}()
			if bad > 12 { t.Fatal("many") }
		}
	}
	fmt.Println("bad", bad)
}
