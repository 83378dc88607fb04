package cluster

import "fmt"

// PodName is the name of the workload's pod with the given ordinal.
func PodName(workload string, id int32) string {
	return fmt.Sprintf("%s-%05d", workload, id)
}
