package resolver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestHostsAreParsed(t *testing.T) {
	want := messages.Host{
		Namespace: "shop", SourceService: "web", TargetService: "elasti-web-pvt-4edf6ad8f8",
		SourceHost:     "http://web.shop.svc.cluster.local",
		TargetHost:     "http://elasti-web-pvt-4edf6ad8f8.shop.svc.cluster.local",
		TrafficAllowed: true,
	}
	for text, port := range map[string]string{
		"web.shop": "", "web.shop:8080": ":8080", "web.shop.svc": "", "web.shop.svc:080": ":80",
		"web.shop.svc.cluster.local": "", "web.shop.svc.cluster.local:65535": ":65535",
		"web.shop.svc.cluster.local.": "", "web.shop.svc.cluster.local.:81": ":81",
		"Web.SHOP.svc.Cluster.local": "", "web.shop.svc.cluster.local:8080/*": ":8080",
	} {
		got, err := parseHost(text, "cluster.local", privateName)
		require.NoError(t, err, text)
		host := want
		host.IncomingHost, host.SourceHost, host.TargetHost = text, want.SourceHost+port, want.TargetHost+port
		assert.Equal(t, host, got)
	}
}

func TestBadHostsAreRefused(t *testing.T) {
	const forms = "expected service.namespace, service.namespace.svc or service.namespace.svc.cluster.local"
	for text, problem := range map[string]string{
		"":                                `host "": found 0 characters, expected 1 to 300`,
		strings.Repeat("x", 301):          "found 301 characters",
		"web":                             "Namespace: found",
		".shop":                           "SourceService: found",
		"web..svc":                        "Namespace: found",
		"web.shop.pod":                    forms,
		"pod-0.web.shop.svc":              forms,
		"web.shop.svc.example.com":        forms,
		"web.shop.svc.":                   "",
		"web.shop..":                      "",
		"web.shop:":                       "expected a port of 1 to 65535",
		"web.shop:0":                      "expected a port of 1 to 65535",
		"web.shop:65536":                  "expected a port of 1 to 65535",
		"web.shop:80:80":                  "expected a port of 1 to 65535",
		"we b.shop":                       "SourceService: found",
		"web.shop/../secret":              forms,
		"user@web.shop":                   "SourceService: found",
		"10.0.0.1":                        forms,
		"[::1]:80":                        "expected a port of 1 to 65535",
		strings.Repeat("x", 42) + ".shop": "TargetService: found",
	} {
		_, err := parseHost(text, "cluster.local", privateName)
		if problem == "" {
			assert.NoError(t, err, text)
			continue
		}
		assert.ErrorContains(t, err, problem, text)
	}
}

func TestHostFromHeader(t *testing.T) {
	named := 0
	counted := func(service string) string { named++; return privateName(service) }
	req := httptest.NewRequest(http.MethodGet, "http://web.shop/", nil)
	req.Header.Set("X-Envoy-Decorator-Operation", "api.bank.svc.cluster.local:8080/*")
	for header, want := range map[string]string{
		"": "web", "host": "web", "Host": "web", "x-envoy-decorator-operation": "api",
	} {
		target, err := HostFromHeader(header, ".Cluster.Local.", counted)
		require.NoError(t, err)
		named = 0
		for range 3 {
			host, err := target(req)
			require.NoError(t, err)
			assert.Equal(t, want, host.SourceService)
		}
		assert.Equal(t, 1, named, "parsed once")
	}
	target, err := HostFromHeader("X-Absent", "cluster.local", privateName)
	require.NoError(t, err)
	_, err = target(req)
	assert.ErrorContains(t, err, `host "": found 0 characters`)

	_, err = HostFromHeader("Host", "..", privateName)
	assert.EqualError(t, err, `clusterDomain: found "..", expected a domain such as cluster.local`)
	_, err = HostFromHeader("Host", "cluster.local", nil)
	assert.ErrorContains(t, err, "private: found none")
}

func TestTheCacheOfHostsIsBounded(t *testing.T) {
	c := hostCache{domain: "cluster.local", private: privateName, known: map[string]messages.Host{}}
	for i := range cachedHostsMax + 1 {
		_, err := c.get(fmt.Sprintf("web-%d.shop", i))
		require.NoError(t, err)
	}
	assert.Len(t, c.known, 1)
}

// What is accepted is valid, and means the same when written in full.
func FuzzParseHost(f *testing.F) {
	for _, text := range []string{
		"web.shop", "web.shop.svc", "web.shop.svc.cluster.local:8080", "WEB.shop.:1/*", "", "a.b:c", "..", "10.0.0.1:80", "a.b.svc.c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, err := parseHost(text, "cluster.local", privateName)
		if err != nil {
			assert.Equal(t, messages.Host{}, host)
			return
		}
		require.NoError(t, host.Validate())
		assert.Equal(t, text, host.IncomingHost)
		again, err := parseHost(strings.TrimPrefix(host.SourceHost, "http://"), "cluster.local", privateName)
		require.NoError(t, err)
		again.IncomingHost = text
		assert.Equal(t, host, again)
	})
}
