package api

import (
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hypernode/hypernode/node"
)

// Registry is where the figures of a node are gathered: those of its process and of the node itself, beside those that
// node.Options.Metrics gets. Give it to the node, then to Serve.
type Registry struct{ *prometheus.Registry }

// NewRegistry returns an empty registry with the figures of the process.
func NewRegistry() *Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Registry{r}
}

// metrics answers with the figures of the registry and of the node, as Prometheus reads them.
func (s *server) metrics() func(http.ResponseWriter, *http.Request) error {
	own := prometheus.NewRegistry()
	own.MustRegister(collector{s.n})
	gather := prometheus.Gatherers{own}
	if s.o.Registry != nil {
		gather = append(gather, s.o.Registry)
	}
	h := promhttp.HandlerFor(gather, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

// collector tells what the node is doing.
type collector struct{ n *node.Node }

// figures are the gauges of a node, with their help.
func figures() map[string]*prometheus.Desc {
	m := map[string]*prometheus.Desc{}
	for name, help := range map[string]string{
		"connections":     "Connections to other nodes.",
		"peers":           "Peers with whom something is exchanged.",
		"topics":          "Topics that are joined.",
		"store_bytes":     "Bytes of disk that the store uses.",
		"store_failed":    "1 when the store has failed.",
		"seeds":           "Cores and drives that are seeded.",
		"seed_blocks":     "Blocks of all seeds.",
		"seed_held":       "Leading blocks of all seeds that are held.",
		"seeds_limited":   "Seeds that are not fetched whole, for a quota.",
		"seeds_failed":    "Seeds that cannot be kept, as the list of seeds tells.",
		"start_timestamp": "Unix time in seconds since when the node runs.",
	} {
		m[name] = prometheus.NewDesc("hypernode_"+name, help, nil, nil)
	}
	m["network_nodes"] = prometheus.NewDesc("hypernode_network_nodes", "Nodes known in a network.", []string{"network"}, nil)
	return m
}

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range figures() {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	st, all := c.n.Status(), figures()
	values := map[string]float64{
		"connections": float64(st.Connections), "peers": float64(len(st.Peers)), "topics": float64(st.Topics),
		"store_bytes": float64(st.StoreBytes), "start_timestamp": float64(st.Since.Unix()), "store_failed": 0,
		"seeds": 0, "seed_blocks": 0, "seed_held": 0, "seeds_limited": 0, "seeds_failed": 0,
	}
	if st.StoreError != "" {
		values["store_failed"] = 1
	}
	for _, s := range c.n.Seeds() {
		values["seeds"]++
		values["seed_blocks"] += float64(s.Length)
		values["seed_held"] += float64(s.Contiguous)
		if s.Content != nil {
			values["seed_blocks"] += float64(s.Content.Length)
			values["seed_held"] += float64(s.Content.Contiguous)
		}
		if s.Limited != "" {
			values["seeds_limited"]++
		}
		if s.Failed != "" {
			values["seeds_failed"]++
		}
	}
	for name, v := range values {
		out <- prometheus.MustNewConstMetric(all[name], prometheus.GaugeValue, v)
	}
	for _, w := range st.Networks {
		out <- prometheus.MustNewConstMetric(all["network_nodes"], prometheus.GaugeValue, float64(w.Nodes), w.Name)
	}
}

// profile adds the profiles of the process.
func profile(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
