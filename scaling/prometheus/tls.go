package prometheus

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// TLS says how an https server is trusted, and how the client shows who it is.
// The zero value trusts the system's authorities and shows no certificate.
type TLS struct {
	CA          []byte // PEM: trusted instead of the system's authorities
	Certificate []byte // PEM: the client's
	Key         []byte // PEM: the client's
	ServerName  string // expected in the server's certificate instead of the address's host
	Insecure    bool   // the server's certificate is not verified
}

// TLSFiles are the names of files with the PEM blocks of a TLS; absent ones are
// empty.
type TLSFiles struct{ CA, Certificate, Key string }

// ReadTLS reads the files, below the root of the file system: os.DirFS("/") for
// absolute names. The caller sets ServerName and Insecure.
func ReadTLS(files fs.FS, names TLSFiles) (TLS, error) {
	var t TLS
	var problems messages.Problems
	for _, file := range []struct {
		field, name string
		into        *[]byte
	}{
		{"CA", names.CA, &t.CA},
		{"Certificate", names.Certificate, &t.Certificate},
		{"Key", names.Key, &t.Key},
	} {
		if file.name == "" {
			continue
		}
		text, err := fs.ReadFile(files, strings.TrimPrefix(file.name, "/"))
		if err != nil {
			problems.Addf(file.field, "%v", err)
		}
		*file.into = text
	}
	if len(problems) > 0 {
		return TLS{}, problems
	}
	return t, nil
}

func (t TLS) isZero() bool {
	return len(t.CA) == 0 && len(t.Certificate) == 0 && len(t.Key) == 0 && t.ServerName == "" && !t.Insecure
}

// config gives what crypto/tls wants. Its errors are messages.Problems, and
// show nothing of a key.
func (t TLS) config() (*tls.Config, error) {
	var problems messages.Problems
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure}
	if len(t.CA) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.CA) {
			problems.Addf("CA", "found no certificate, expected one in PEM")
		}
	}
	switch {
	case len(t.Certificate) > 0 && len(t.Key) > 0:
		pair, err := tls.X509KeyPair(t.Certificate, t.Key)
		if err != nil {
			problems.Addf("Certificate", "%v", err)
		}
		c.Certificates = []tls.Certificate{pair}
	case len(t.Certificate) > 0:
		problems.Addf("Key", "found none, expected the certificate's")
	case len(t.Key) > 0:
		problems.Addf("Certificate", "found none, expected the key's")
	}
	return c, problems.Err()
}

// newTransport is for a few queries to one server every half minute.
func newTransport(settings *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        settings,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           4,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
