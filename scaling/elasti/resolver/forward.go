package resolver

import (
	"net/http"
	"net/http/httputil"
	"sync"
)

// forward answers a request that has its slot. The waiting for a pod is in
// RoundTrip, inside the proxy, because only there can an attempt be repeated.
func (h *held) forward(w http.ResponseWriter, req *http.Request) {
	proxy := httputil.ReverseProxy{
		Rewrite:        h.rewrite,
		Transport:      h,
		ModifyResponse: h.begin,
		ErrorHandler:   h.fail,
		ErrorLog:       h.r.proxyLog,
		BufferPool:     buffers{},
	}
	proxy.ServeHTTP(w, req.WithContext(h.ctx))
	if h.outcome == pending {
		h.outcome = answered
	}
}

// rewrite addresses the request to the private service and leaves everything
// else as it came: host, path, query, trailers.
func (h *held) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.Host = h.target.Scheme, h.target.Host
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Host = p.In.Host
	p.Out.Trailer = p.In.Trailer // the very map: it fills up as the body is read
	forwarded(p)
	if p.Out.Body != nil {
		h.body = &wholeBody{Reader: p.Out.Body}
		p.Out.Body = h.body
	}
	sendOnce(p.Out)
}

// forwarded sets the X-Forwarded headers. What a proxy before this one wrote is
// kept, since it knows the client: the resolver is reached from inside a
// cluster, often through an ingress that has ended TLS.
func forwarded(p *httputil.ProxyRequest) {
	const chain = "X-Forwarded-For"
	p.Out.Header[chain] = p.In.Header[chain] // to be appended to
	p.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
		if prior := p.In.Header[name]; len(prior) > 0 {
			p.Out.Header[name] = prior
		}
	}
}

// begin is called with the head of the pod's answer.
func (h *held) begin(resp *http.Response) error {
	h.begun = true
	if resp.StatusCode != http.StatusSwitchingProtocols {
		// The next request may lead to the pods directly: it needs a new connection.
		resp.Header.Set("Connection", "close")
	}
	return nil
}

// fail answers when the pod does not.
func (h *held) fail(w http.ResponseWriter, _ *http.Request, err error) {
	h.outcome = asRefusal(err).outcome
	h.r.reply(w, err)
}

// buffers lends the proxy its copying buffers.
type buffers struct{}

const bufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func (buffers) Get() []byte { return bufferPool.Get().(*[bufferSize]byte)[:] }

func (buffers) Put(b []byte) { bufferPool.Put((*[bufferSize]byte)(b)) }
