package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "steady"}, "scalelab run steady"},
		{[]string{"run", "steady", "-a", "hpa-70", "-o", "html=x.html", "--quiet", "--workers", "2"}, "scalelab run steady --autoscaler hpa-70"},
		{[]string{"run", "it's.yaml", "--set", "traffic[0].rps=1", "--set", "seed=2"},
			`scalelab run 'it'\''s.yaml' --set 'traffic[0].rps=1' --set seed=2`},
		{[]string{"compare", "--demo", "--seeds", "8", "--autoscalers", "a,b"}, "scalelab compare --autoscalers a --autoscalers b --demo --seeds 8"},
	} {
		root := newRoot()
		found, flags, err := root.Find(c.args)
		require.NoError(t, err)
		require.NoError(t, found.ParseFlags(flags))
		assert.Equal(t, c.want, again(found, found.Flags().Args()))
	}
	assert.Equal(t, "x", again(&cobra.Command{Use: "x"}, nil))
}
