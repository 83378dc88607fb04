package handler

// Update says whether golden scripts are to be rewritten.
func Update() bool { return *update }
