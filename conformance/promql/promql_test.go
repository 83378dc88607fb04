package promql

import (
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/metrics/prometheus/api"
)

var (
	seedFlag    = flag.Uint64("seed", 1, "of the samples and the queries")
	queriesFlag = flag.Int("queries", 600, "how many instant queries; there are a quarter as many over ranges")
)

// answer is what both say.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// TestConformance asks both servers the same.
func TestConformance(t *testing.T) {
	address := startReal(t)
	dice := rand.New(rand.NewPCG(*seedFlag, 0))
	server := newWorld(t, dice)
	end := start.Add(scrapes * interval)
	samples := samplesOf(t, server)
	for len(samples) > 0 {
		n := 0
		for n < len(samples) && samples[n].at == samples[0].at {
			n++
		}
		push(t, address, samples[:n])
		samples = samples[n:]
	}
	ours := &http.Client{Transport: api.Transport(api.Handler(server, func() time.Time { return end }))}

	asked, elements, empty, refused, distinct := 0, 0, 0, 0, map[string]bool{}
	ask := func(path string, form url.Values) {
		want, err := ask(t, http.DefaultClient, address+path, form)
		require.NoError(t, err)
		got, err := ask(t, ours, address+path, form)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%s %s at %s", path, form.Get("query"), form.Get("time")+form.Get("start"))
		asked++
		distinct[form.Get("query")] = true
		switch {
		case want[0] == failed:
			refused++
		case len(want) == 1:
			empty++
		default:
			elements += len(want) - 1
		}
	}
	for range *queriesFlag {
		ask("/api/v1/query", url.Values{"query": {fixed(drawQuery(dice))}, "time": {instant(dice, scrapes)}})
	}
	for range *queriesFlag / 4 {
		from := instant(dice, scrapes/2)
		at, err := strconv.ParseFloat(from, 64)
		require.NoError(t, err)
		ask("/api/v1/query_range", url.Values{"query": {fixed(drawQuery(dice))}, "start": {from},
			"end": {strconv.FormatFloat(at+float64(dice.IntN(1800)), 'f', 3, 64)}, "step": {pick(dice, []string{"15", "30s", "60", "7", "5m"})}})
	}
	t.Logf("seed %d: %d queries, %d of them different, %d series in the answers, %d answers empty, %d refused", *seedFlag, asked, len(distinct), elements, empty, refused)
	assert.GreaterOrEqual(t, len(distinct), 200)
	assert.Less(t, empty+refused, asked/4)
}

// instant is a whole second and 137 thousandths, so that no boundary meets a sample.
func instant(dice *rand.Rand, among int) string {
	seconds := start.Unix() + int64(dice.IntN(among*int(interval/time.Second)))
	return strconv.FormatInt(seconds, 10) + ".137"
}

// failed stands for the kind of a result where there is none.
const failed = "error"

// ask gives the kind of a result and its elements as they are written: sorted for a
// vector, whose order is open.
func ask(t *testing.T, client *http.Client, address string, form url.Values) ([]string, error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	if a.Status != "success" { // in words that change from version to version
		return []string{failed, strconv.Itoa(response.StatusCode)}, nil
	}
	if a.Data.ResultType != "vector" && a.Data.ResultType != "matrix" {
		return []string{a.Data.ResultType, string(a.Data.Result)}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(a.Data.Result, &list); err != nil {
		return nil, err
	}
	var texts []string
	for _, element := range list {
		texts = append(texts, string(element))
	}
	slices.Sort(texts)
	return append([]string{a.Data.ResultType}, texts...), nil
}
