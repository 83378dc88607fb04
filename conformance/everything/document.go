package everything

func writeDocument(dir string, all []*comparison) error { return nil }
