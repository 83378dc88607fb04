package messages

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var goodHost = Host{
	IncomingHost:   "web.shop.svc.cluster.local:8080",
	Namespace:      "shop",
	SourceService:  "web",
	TargetService:  "elasti-web-pvt-4edf6ad8f8",
	SourceHost:     "http://web.shop.svc.cluster.local:8080",
	TargetHost:     "http://elasti-web-pvt-4edf6ad8f8.shop.svc.cluster.local:8080",
	TrafficAllowed: true,
}

func TestHostOnTheWire(t *testing.T) {
	text, err := json.Marshal(goodHost)
	require.NoError(t, err)
	assert.Equal(t, `{"IncomingHost":"web.shop.svc.cluster.local:8080","Namespace":"shop","SourceService":"web",`+
		`"TargetService":"elasti-web-pvt-4edf6ad8f8","SourceHost":"http://web.shop.svc.cluster.local:8080",`+
		`"TargetHost":"http://elasti-web-pvt-4edf6ad8f8.shop.svc.cluster.local:8080","TrafficAllowed":true}`, string(text))

	// The names are those that Go gives a struct without tags.
	untagged, err := json.Marshal(struct {
		IncomingHost, Namespace, SourceService, TargetService, SourceHost, TargetHost string
		TrafficAllowed                                                                bool
	}(goodHost))
	require.NoError(t, err)
	assert.JSONEq(t, string(untagged), string(text))

	var back Host
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, goodHost, back)
}

func TestHostValidate(t *testing.T) {
	require.NoError(t, goodHost.Validate())
	const label = ", expected a DNS label of 1 to 63 characters (a-z, 0-9, -)"
	const address = ", expected a URL such as http://web.shop.svc:8080"
	for name, c := range map[string]struct {
		change func(*Host)
		want   string
	}{
		"no traffic now":          {func(h *Host) { h.TrafficAllowed = false }, ""},
		"https and a bare host":   {func(h *Host) { h.TargetHost = "https://10.0.0.1" }, ""},
		"IPv6":                    {func(h *Host) { h.TargetHost = "http://[::1]:80" }, ""},
		"no incoming host":        {func(h *Host) { h.IncomingHost = "" }, "IncomingHost: found none, expected a host name"},
		"no namespace":            {func(h *Host) { h.Namespace = "" }, `Namespace: found ""` + label},
		"a name in upper case":    {func(h *Host) { h.SourceService = "Web" }, `SourceService: found "Web"` + label},
		"a name with a dot":       {func(h *Host) { h.SourceService = "web.shop" }, `SourceService: found "web.shop"` + label},
		"a dash in front":         {func(h *Host) { h.SourceService = "-web" }, `SourceService: found "-web"` + label},
		"a dash at the end":       {func(h *Host) { h.SourceService = "web-" }, `SourceService: found "web-"` + label},
		"a name that is too long": {func(h *Host) { h.TargetService = strings.Repeat("a", 64) }, `TargetService: found "` + strings.Repeat("a", 64) + `"` + label},
		"a name without end":      {func(h *Host) { h.TargetService = strings.Repeat("a", 1e6) }, `TargetService: found "` + strings.Repeat("a", 70) + `"` + label},
		"no scheme":               {func(h *Host) { h.SourceHost = "web.shop:8080" }, `SourceHost: found "web.shop:8080"` + address},
		"another scheme":          {func(h *Host) { h.SourceHost = "ftp://web" }, `SourceHost: found "ftp://web"` + address},
		"a path":                  {func(h *Host) { h.SourceHost = "http://web/x" }, `SourceHost: found "http://web/x"` + address},
		"a user":                  {func(h *Host) { h.SourceHost = "http://me@web" }, `SourceHost: found "http://me@web"` + address},
		"no host":                 {func(h *Host) { h.SourceHost = "http://" }, `SourceHost: found "http://"` + address},
		"no URL":                  {func(h *Host) { h.SourceHost = "http://%zz" }, `SourceHost: found "http://%zz"` + address},
		"its own target":          {func(h *Host) { h.TargetService = "web" }, `TargetService: found the source service "web", expected the private service`},
		// KubeElasti's resolver makes this one of http://web.shop, which has too few dots for it.
		"its own address": {func(h *Host) { h.SourceHost, h.TargetHost = "http://web.shop", "http://web.shop" }, `TargetHost: found the source host "http://web.shop", expected the private service's`},
		"nothing": {func(h *Host) { *h = Host{} }, "IncomingHost: found none, expected a host name\n" +
			`Namespace: found ""` + label + "\n" + `SourceService: found ""` + label + "\n" + `TargetService: found ""` + label + "\n" +
			`SourceHost: found ""` + address + "\n" + `TargetHost: found ""` + address},
	} {
		t.Run(name, func(t *testing.T) {
			h := goodHost
			c.change(&h)
			if err := h.Validate(); c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, c.want)
			}
		})
	}
}

func FuzzHost(f *testing.F) {
	good, err := json.Marshal(goodHost)
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"SourceHost":"http://[::1%25x]:80"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Host
		if json.Unmarshal(text, &h) != nil || h.Validate() != nil {
			return
		}
		again, err := json.Marshal(h)
		require.NoError(t, err)
		var back Host
		require.NoError(t, json.Unmarshal(again, &back))
		require.NoError(t, back.Validate())
		require.Equal(t, h, back)
		require.NotEqual(t, h.SourceService, h.TargetService)
	})
}
