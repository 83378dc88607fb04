package promql

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// lifetime bounds the process of the real server.
const lifetime = 5 * time.Minute

// startReal starts a server without samples and gives its address. It is killed when
// the test ends.
func startReal(t *testing.T) string {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no binary called prometheus on the path, such as Debian's package has")
	}
	version, err := exec.CommandContext(t.Context(), binary, "--version").CombinedOutput()
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(version), "\n")
	t.Log(first)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte("global: {}\n"), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	var log bytes.Buffer
	server := exec.CommandContext(ctx, binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+address, "--web.enable-remote-write-receiver")
	server.Stdout, server.Stderr = &log, &log
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		cancel()
		_ = server.Wait() // it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	})
	await(t, "http://"+address+"/-/ready")
	return "http://" + address
}

// await asks until the server is ready.
func await(t *testing.T, url string) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		<-tick.C
	}
	t.Fatal("the real server is not ready after 30 s")
}

// sample is one sample of a series.
type sample struct {
	series labels.Labels
	at     int64 // Unix milliseconds
	value  float64
}

// push writes samples, all of one instant or later than those before, by the remote
// write protocol: a protobuf message in a snappy block.
func push(t *testing.T, address string, samples []sample) {
	var message []byte
	for _, s := range samples {
		var series []byte
		s.series.Range(func(l labels.Label) {
			pair := appendBytes(appendBytes(nil, 1, []byte(l.Name)), 2, []byte(l.Value))
			series = appendBytes(series, 1, pair)
		})
		value := binary.LittleEndian.AppendUint64([]byte{1<<3 | 1}, math.Float64bits(s.value))
		value = binary.AppendUvarint(append(value, 2<<3), uint64(s.at))
		message = appendBytes(message, 1, appendBytes(series, 2, value))
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/api/v1/write", bytes.NewReader(literals(message)))
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, string(said))
}

// appendBytes is a field of protobuf with a length.
func appendBytes(dst []byte, field byte, content []byte) []byte {
	dst = binary.AppendUvarint(append(dst, field<<3|2), uint64(len(content)))
	return append(dst, content...)
}

// literals is a snappy block that compresses nothing.
func literals(content []byte) []byte {
	block := binary.AppendUvarint(nil, uint64(len(content)))
	for len(content) > 0 {
		n := min(len(content), 1<<16)
		block = binary.LittleEndian.AppendUint16(append(block, 61<<2), uint16(n-1))
		block = append(block, content[:n]...)
		content = content[n:]
	}
	return block
}
