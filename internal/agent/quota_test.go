package agent

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A slowReader takes a time for whatever is written, which fails when it is later
// than may be.
type slowReader struct {
	*httptest.ResponseRecorder
	takes    time.Duration
	deadline time.Time
}

func (r *slowReader) Write(b []byte) (int, error) {
	if left := time.Until(r.deadline); left < r.takes {
		time.Sleep(left)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(r.takes)
	return r.ResponseRecorder.Write(b)
}

func (r *slowReader) SetWriteDeadline(t time.Time) error {
	r.deadline = t
	return nil
}

// ask asks q for an answer of n bytes that takes a time to make.
func (q *quota) ask(t *testing.T, w http.ResponseWriter, n int, takes time.Duration) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	q.answer(w, r, "text/plain", func(out io.Writer) error {
		time.Sleep(takes)
		_, err := out.Write(bytes.Repeat([]byte("x"), n))
		return err
	})
}

// Of many who ask at once a few have their answers made at a time; who would wait
// for long is told to come again.
func TestAnswersAreMadeFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuota(2, 1000)
		var asking sync.WaitGroup
		begin := time.Now()
		asked := make([]*httptest.ResponseRecorder, 10)
		for i := range asked {
			asked[i] = httptest.NewRecorder()
			asking.Go(func() { q.ask(t, asked[i], 10, queryWait*2/3) })
		}
		asking.Wait()
		codes := map[int]int{}
		for _, w := range asked {
			codes[w.Code]++
			if w.Code == http.StatusServiceUnavailable && (w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "ask again")) {
				t.Errorf("refused with %v %s", w.Header(), w.Body)
			}
		}
		// Two at once, two after them: those are the last whose turn comes in time.
		if codes[http.StatusOK] != 4 || codes[http.StatusServiceUnavailable] != 6 || time.Since(begin) != queryWait*4/3 {
			t.Errorf("answers by status %v after %s", codes, time.Since(begin))
		}
	})
}

// Readers that do not read hold no turn and no more than so many bytes, for no
// longer than a reader of that much needs.
func TestSlowReadersHoldLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuota(1, 4*paceBytes)
		var reading sync.WaitGroup
		begin := time.Now()
		slow := func(n int, takes time.Duration) *slowReader {
			r := &slowReader{ResponseRecorder: httptest.NewRecorder(), takes: takes}
			reading.Go(func() { q.ask(t, r, n, 0) })
			synctest.Wait()
			return r
		}
		slow(3*paceBytes, time.Hour)
		w := httptest.NewRecorder()
		if q.ask(t, w, paceBytes/2, 0); w.Code != http.StatusOK || w.Body.Len() != paceBytes/2 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("beside a slow reader: %d %v, %d bytes", w.Code, w.Header(), w.Body.Len())
		}
		w = httptest.NewRecorder()
		if q.ask(t, w, 2*paceBytes, 0); w.Code != http.StatusServiceUnavailable {
			t.Errorf("more than may wait: %d, %d bytes", w.Code, w.Body.Len())
		}
		reading.Wait()
		if took := time.Since(begin); took != patience {
			t.Errorf("who does not read is waited for %s", took)
		}
		begin = time.Now()
		r := slow(9*paceBytes, 3*time.Second)
		reading.Wait()
		if took := time.Since(begin); took != patience+9*time.Second || r.Body.Len() != 6*paceBytes {
			t.Errorf("who reads too slowly got %d bytes in %s", r.Body.Len(), took)
		}
		r = slow(9*paceBytes, 2*time.Second)
		reading.Wait()
		if r.Code != http.StatusOK || r.Body.Len() != 9*paceBytes || q.waiting != 0 {
			t.Errorf("a single large answer: %d, %d bytes came, %d are held", r.Code, r.Body.Len(), q.waiting)
		}
	})
}

// What fails, in whatever way, gives its turn back.
func TestFailedAnswersGiveTheirTurnsBack(t *testing.T) {
	q := newQuota(1, 1000)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	q.answer(w, r, "text/plain", func(io.Writer) error { return errors.New("no ink") })
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "no ink") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	func() {
		defer func() { recover() }()
		q.answer(w, r, "text/plain", func(io.Writer) error { panic("out of paper") })
	}()
	if w = httptest.NewRecorder(); len(q.turns) != 0 {
		t.Fatal("a turn is lost")
	}
	if q.ask(t, w, 1, 0); w.Code != http.StatusOK {
		t.Errorf("after all of that: %d %s", w.Code, w.Body)
	}
}
