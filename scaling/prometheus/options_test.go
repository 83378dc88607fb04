package prometheus

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	s, err := New(options("https://prometheus.monitoring:9090"))
	require.NoError(t, err)
	assert.Equal(t, "https://prometheus.monitoring:9090/api/v1/query", s.api)
	assert.Equal(t, `min_over_time((max(up{container="prometheus"}) or vector(0))[900s:])`, s.health)
	assert.Equal(t, 5*time.Second, s.options.Timeout)
	require.NoError(t, s.Close())

	const address = "expected a URL such as http://prometheus.monitoring:9090"
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing": {func(o *Options) { *o = Options{} }, "ServerAddress: found none, " + address + "\n" +
			"Query: found none, expected a PromQL query\nCooldown: found 0s, expected more than 0s"},
		"no URL":                {func(o *Options) { o.ServerAddress = "http://u:hunter2@%zz" }, "ServerAddress: " + address},
		"no scheme":             {func(o *Options) { o.ServerAddress = "prometheus" }, `ServerAddress: found "prometheus", ` + address},
		"another scheme":        {func(o *Options) { o.ServerAddress = "file:///etc/passwd" }, `ServerAddress: found "file:///etc/passwd", ` + address},
		"no host":               {func(o *Options) { o.ServerAddress = "http://:9090" }, `ServerAddress: found "http://:9090", ` + address},
		"a password":            {func(o *Options) { o.ServerAddress = "http://u:hunter2@prometheus" }, "ServerAddress: found a user, expected it in Authorization"},
		"a token in the query":  {func(o *Options) { o.ServerAddress = "http://prometheus?token=hunter2" }, "ServerAddress: found a query or a fragment, expected none"},
		"a fragment":            {func(o *Options) { o.ServerAddress = "http://prometheus#" }, "ServerAddress: found a query or a fragment, expected none"},
		"an empty query":        {func(o *Options) { o.Query = " \n" }, "Query: found none, expected a PromQL query"},
		"no threshold":          {func(o *Options) { o.Threshold = math.NaN() }, "Threshold: found NaN, expected a finite number"},
		"no limit":              {func(o *Options) { o.Threshold = math.Inf(1) }, "Threshold: found +Inf, expected a finite number"},
		"a negative timeout":    {func(o *Options) { o.Timeout = -1 }, "Timeout: found -1ns, expected more than 0s"},
		"a header without name": {func(o *Options) { o.Headers = map[string]Secret{"": "hunter2"} }, `Headers: found the name "", expected a header's name`},
		"a header with a space": {func(o *Options) { o.Headers = map[string]Secret{"X Y": "hunter2", "Ünicode": "hunter2"} },
			`Headers: found the name "X Y", expected a header's name` + "\n" + `Headers: found the name "Ünicode", expected a header's name`},
		"a header that splits": {func(o *Options) { o.Headers = map[string]Secret{"X-Y": "hunter2\r\nX-Z: 1"} }, `Headers: found a control character in the value of "X-Y"`},
		"a token that splits":  {func(o *Options) { o.Authorization = "Bearer hunter2\n" }, "Authorization: found a control character"},
		"two transports": {func(o *Options) { o.Transport, o.TLS.Insecure = http.DefaultTransport, true },
			"TLS: found settings, expected none beside a Transport, which has its own"},
		"no authority":  {func(o *Options) { o.TLS.CA = []byte("hunter2") }, "TLS.CA: found no certificate, expected one in PEM"},
		"no key":        {func(o *Options) { o.TLS.Certificate = []byte("x") }, "TLS.Key: found none, expected the certificate's"},
		"only a key":    {func(o *Options) { o.TLS.Key = []byte("hunter2") }, "TLS.Certificate: found none, expected the key's"},
		"no key in PEM": {func(o *Options) { o.TLS.Certificate, o.TLS.Key = []byte("x"), []byte("hunter2") }, "TLS.Certificate: tls: failed to find any PEM data in certificate input"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("http://prometheus")
			c.change(&o)
			s, err := New(o)
			assert.Nil(t, s)
			assert.EqualError(t, err, c.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	o := options("http://prometheus")
	o.Authorization, o.Headers = "hunter2", map[string]Secret{"X": "hunter2"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("options", "options", o, "secret", o.Authorization)
	marshaled, err := json.Marshal(o)
	require.NoError(t, err)
	shown := log.String() + string(marshaled)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, o.Authorization) + fmt.Sprintf(verb, o) + fmt.Sprintf(verb, &o)
	}
	assert.NotContains(t, shown, "hunter2")
	assert.NotContains(t, shown, fmt.Sprintf("%x", "hunter2"))
	assert.Contains(t, shown, hidden)
}

// block is one PEM block.
func block(kind string, bytes []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
}

// clientPair makes a certificate that signs itself, and its key.
func clientPair(t *testing.T) (certificate, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "operator"},
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(100, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	encoded, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return block("CERTIFICATE", signed), block("EC PRIVATE KEY", encoded)
}

func TestTLS(t *testing.T) {
	certificate, key := clientPair(t)
	server := httptest.NewUnstartedServer(says(200, vector("0")))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	clients := x509.NewCertPool()
	require.True(t, clients.AppendCertsFromPEM(certificate))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.StartTLS()
	defer server.Close()
	authority := block("CERTIFICATE", server.Certificate().Raw)
	files := fstest.MapFS{"etc/ca.pem": {Data: authority}, "etc/tls.crt": {Data: certificate}, "etc/tls.key": {Data: key}}
	all, err := ReadTLS(files, TLSFiles{CA: "/etc/ca.pem", Certificate: "/etc/tls.crt", Key: "etc/tls.key"})
	require.NoError(t, err)
	assert.Equal(t, TLS{CA: authority, Certificate: certificate, Key: key}, all)

	for name, c := range map[string]struct {
		change func(*TLS)
		want   string
	}{
		"all of it":                 {func(*TLS) {}, ""},
		"the server is not checked": {func(s *TLS) { s.CA, s.Insecure = nil, true }, ""},
		"a name in the certificate": {func(s *TLS) { s.ServerName = "example.com" }, ""},
		"another name":              {func(s *TLS) { s.ServerName = "prometheus" }, "not prometheus"},
		"an unknown authority":      {func(s *TLS) { s.CA = nil }, "certificate signed by unknown authority"},
		"no client certificate":     {func(s *TLS) { s.Certificate, s.Key = nil, nil }, "certificate required"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(server.URL)
			o.TLS = all
			c.change(&o.TLS)
			s, err := New(o)
			require.NoError(t, err)
			defer s.Close()
			idle, err := s.ShouldScaleToZero(t.Context())
			if c.want != "" {
				assert.ErrorContains(t, err, c.want)
				assert.False(t, idle)
				return
			}
			require.NoError(t, err)
			assert.True(t, idle)
		})
	}
}

func TestFromHTTPSToHTTP(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host, http.StatusFound)
	}))
	defer server.Close()
	o := options(server.URL)
	o.TLS.CA = block("CERTIFICATE", server.Certificate().Raw)
	s, err := New(o)
	require.NoError(t, err)
	defer s.Close()
	assertFails(t, s, "found a redirect from https to http")
}

func TestFilesThatCannotBeRead(t *testing.T) {
	files := fstest.MapFS{"ca.pem": {Data: []byte("x")}}
	got, err := ReadTLS(files, TLSFiles{})
	require.NoError(t, err)
	assert.Equal(t, TLS{}, got)
	got, err = ReadTLS(files, TLSFiles{CA: "ca.pem", Certificate: "tls.crt", Key: "../key"})
	assert.EqualError(t, err, "Certificate: open tls.crt: file does not exist\nKey: open ../key: file does not exist")
	assert.Equal(t, TLS{}, got)
}
