package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkPlace says before any work is done whether a file can be written.
func checkPlace(name string) error {
	dir := filepath.Dir(name)
	switch info, err := os.Stat(dir); {
	case err != nil:
		return cannotWrite(name, err)
	case !info.IsDir():
		return fmt.Errorf("write %s: %s is not a directory", name, dir)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("write %s: it is a directory", name)
	}
	return nil
}

// cannotWrite names the file that was asked for, instead of the one beside it
// that the operating system complains about.
func cannotWrite(name string, err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	return fmt.Errorf("write %s: %w", name, err)
}

// staged are complete files beside the places they are meant for. Nobody ever
// sees half a file, and if one cannot be written then none appears.
type staged []stagedFile

type stagedFile struct {
	temporary string // "" for a pipe or a device, which cannot be replaced
	name      string
	content   []byte
}

// add writes a file beside its place.
func (s *staged) add(name string, content []byte) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			*s = append(*s, stagedFile{"", name, content})
			return nil
		}
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return cannotWrite(name, err)
	}
	*s = append(*s, stagedFile{f.Name(), name, nil})
	_, err = f.Write(content)
	if chmod := f.Chmod(mode); err == nil {
		err = chmod
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return cannotWrite(name, err)
	}
	return nil
}

// commit writes pipes and devices, then moves every file to its place.
func (s staged) commit() error {
	for _, f := range s {
		if f.temporary == "" {
			if err := os.WriteFile(f.name, f.content, 0o644); err != nil {
				return cannotWrite(f.name, err)
			}
		}
	}
	for _, f := range s {
		if f.temporary != "" {
			if err := os.Rename(f.temporary, f.name); err != nil {
				return cannotWrite(f.name, err)
			}
		}
	}
	return nil
}

// discard removes what was not moved.
func (s *staged) discard() {
	for _, f := range *s {
		if f.temporary != "" {
			os.Remove(f.temporary) // fails when it has been moved, as it should
		}
	}
}
