package fakecluster

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// golden is the odd number nearest to 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// mix scatters the bits of a counter (the finalizer of splitmix64, Steele,
// Lea and Flood 2014). It is a bijection.
func mix(n uint64) uint64 {
	n += golden
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// uid is the n-th UID. It has the form of a version 4 UUID; its last group is
// n itself, so that no two are equal.
func uid(n uint64) types.UID {
	h := mix(n)
	return types.UID(fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x",
		h>>32, h>>16&0xffff, h>>4&0xfff, mix(h)&0xfff, n&0xffffffffffff))
}

// suffix is the n-th ending of a generated name: five characters of the
// alphabet the API server uses, which has no vowels and nothing alike.
func suffix(n uint64) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	var text [5]byte
	h := mix(n)
	for i := range text {
		text[i] = alphabet[h%uint64(len(alphabet))]
		h /= uint64(len(alphabet))
	}
	return string(text[:])
}
