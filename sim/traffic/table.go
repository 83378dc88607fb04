package traffic

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/messages"
)

// dataError is something in a trace file that cannot be used.
type dataError struct {
	file         string
	line, column int
	problem      string
}

func (e *dataError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.file, e.line, e.column, e.problem)
}

// column is one column of a table that is asked for: the field of the Trace that
// names it, and the name or index.
type column struct{ field, name string }

// table reads some columns of a CSV file row by row.
type table struct {
	file    string
	closer  io.Closer
	csv     *csv.Reader
	columns []int    // index in the file of each column asked for
	ahead   []string // the first row, read already, where it is data
}

// openTable opens the file and reads its header. Columns asked for by name need
// a header; with indexes only, the first row is one when none of its cells
// concerned looks like a number or a time.
func openTable(open Opener, file string, columns []column) (*table, error) {
	if open == nil {
		return nil, messages.Invalidf("file", "found %q, expected no trace: files cannot be opened here", file)
	}
	closer, err := open(file)
	if err != nil {
		return nil, messages.Invalidf("file", "cannot be opened: %v", err)
	}
	t := &table{file: file, closer: closer, csv: csv.NewReader(withoutMark(closer))}
	t.csv.ReuseRecord = true
	if err := t.readHeader(columns); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// withoutMark drops the byte order mark that spreadsheets write.
func withoutMark(r io.Reader) io.Reader {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if start, _ := buffered.Peek(3); bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3)
	}
	return buffered
}

func (t *table) close() { _ = t.closer.Close() }

func (t *table) readHeader(columns []column) error {
	first, err := t.read()
	if err == io.EOF {
		return &dataError{t.file, 1, 1, "found no rows, expected a CSV table"}
	}
	if err != nil {
		return err
	}
	named := false
	for _, c := range columns {
		index, isName, err := find(c, first)
		if err != nil {
			return err
		}
		t.columns = append(t.columns, index)
		named = named || isName
	}
	if named || !slices.ContainsFunc(t.columns, func(i int) bool { return looksLikeData(first[i]) }) {
		return nil
	}
	t.ahead = first
	return nil
}

// find locates a column in the first row.
func find(c column, first []string) (index int, isName bool, err error) {
	if index, err := strconv.Atoi(c.name); err == nil {
		if index < 0 || index >= len(first) {
			return 0, false, messages.Invalidf(c.field, "found column %d, expected 0 to %d: the file has %d columns", index, len(first)-1, len(first))
		}
		return index, false, nil
	}
	index = -1
	for i, cell := range first {
		if strings.TrimSpace(cell) != c.name {
			continue
		}
		if index >= 0 {
			return 0, true, messages.Invalidf(c.field, "found %q as columns %d and %d, expected an index that says which", c.name, index, i)
		}
		index = i
	}
	if index < 0 {
		return 0, true, messages.Invalidf(c.field, "found %q, expected one of the columns %s, or an index from 0", c.name, quoted(first))
	}
	return index, true, nil
}

// quoted lists the first columns of a header.
func quoted(cells []string) string {
	const most = 12
	texts := make([]string, 0, most+1)
	for _, cell := range cells[:min(most, len(cells))] {
		texts = append(texts, fmt.Sprintf("%.40q", strings.TrimSpace(cell)))
	}
	if len(cells) > most {
		texts = append(texts, "...")
	}
	return strings.Join(texts, ", ")
}

func looksLikeData(cell string) bool {
	cell = strings.TrimSpace(cell)
	if _, err := strconv.ParseFloat(cell, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return true
	}
	_, problem := detectTime(cell, nil)
	return problem == ""
}

// next moves to the next row of data; io.EOF ends the table. cell and errorf are
// about the row until next is called again.
func (t *table) next() (row []string, err error) {
	if t.ahead != nil {
		row, t.ahead = t.ahead, nil
		return row, nil
	}
	return t.read()
}

func (t *table) read() ([]string, error) {
	row, err := t.csv.Read()
	if err == nil || err == io.EOF {
		return row, err
	}
	var syntax *csv.ParseError
	if !errors.As(err, &syntax) {
		return nil, fmt.Errorf("reading %s: %w", t.file, err)
	}
	problem := "found broken CSV: " + syntax.Err.Error()
	if errors.Is(err, csv.ErrFieldCount) {
		problem = fmt.Sprintf("found a row of %d columns, expected %d as in the first row", len(row), t.csv.FieldsPerRecord)
	}
	return nil, &dataError{t.file, syntax.Line, syntax.Column, problem}
}

// cell is the i-th column that was asked for.
func (t *table) cell(row []string, i int) string {
	return strings.TrimSpace(row[t.columns[i]])
}

// line is the line of the current row.
func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// problem is an error at the i-th column asked for in the current row.
func (t *table) problem(i int, text string) error {
	line, column := t.csv.FieldPos(t.columns[i])
	return &dataError{t.file, line, column, text}
}
