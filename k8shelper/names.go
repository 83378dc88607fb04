package k8shelper

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// ManagedBy is the value of the managed-by labels on what is created here.
	ManagedBy = "elasti.truefoundry.com"
	// LabelManagedBy marks a private Service; its value is ManagedBy.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelPublicService names, on a private Service, the one it stands behind.
	LabelPublicService = "elasti.truefoundry.com/service"
)

// PrivateServiceName is the name of the Service that reaches a service's pods
// past the resolver: elasti-<service>-pvt-<hash>, where the hash is the first
// 10 hex digits of SHA-256 of the service's name. A Service's name has at most
// 63 characters, so that of the 22 beside it a service's name is cut to 41; its
// hash still tells it apart.
func PrivateServiceName(service string) string {
	const prefix, suffix = "elasti-", "-pvt-"
	room := validation.DNS1123LabelMaxLength - len(prefix) - len(suffix) - hashDigits
	kept := service
	if len(kept) > room {
		kept = strings.TrimRight(kept[:room], "-.")
	}
	return prefix + kept + suffix + nameHash(service)
}

// ResolverSliceName is the name of the EndpointSlice that leads a service's
// traffic to the resolver: elasti-<service>-endpointslice-to-resolver-<hash>,
// with the hash of PrivateServiceName. It may have 253 characters, which a
// service's name of 63 cannot exceed.
func ResolverSliceName(service string) string {
	return "elasti-" + service + "-endpointslice-to-resolver-" + nameHash(service)
}

const hashDigits = 10

func nameHash(service string) string {
	sum := sha256.Sum256([]byte(service))
	return hex.EncodeToString(sum[:])[:hashDigits]
}

// checkService returns ErrInvalid for names that no Service can have.
func checkService(attempt, namespace, service string) error {
	if err := checkLabel(attempt+": namespace", namespace); err != nil {
		return err
	}
	return checkLabel(attempt+": service", service)
}

func checkLabel(attempt, name string) error {
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		return invalid(attempt, "found %q: %s", name, problems[0])
	}
	return nil
}
