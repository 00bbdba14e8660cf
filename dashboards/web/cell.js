// Writes cells and ages into the page, as the server does.

// Ages count by the agent's clock, which this one may differ from, and more so
// after somebody set it.
let ahead = 0
export function clock(made, now = Date.now()) {
  if (Date.parse(made)) ahead = Date.parse(made) - now
}

// age writes how long ago a time of the agent's clock was; the server writes the same.
export function age(at) {
  const s = Math.max(Math.floor((Date.now() + ahead - at) / 1000), 0)
  const two = (n, unit, m, lesser) => m > 0 ? `${n} ${unit} ${m} ${lesser}` : `${n} ${unit}`
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min")
  return two(Math.floor(s / 86400), "d", s < 7 * 86400 ? Math.floor(s % 86400 / 3600) : 0, "h")
}

// ageOf writes how many seconds of this clock ago something was.
export const ageOf = seconds => age(Date.now() + ahead - seconds * 1000)

// agesIn has the ages within an element count.
export function agesIn(element) {
  for (const time of element.querySelectorAll("time")) {
    const text = age(Date.parse(time.dateTime))
    if (time.firstChild.data !== text) time.firstChild.data = text
  }
}

export const stamp = at => new Date(at).toISOString().slice(0, 19)
export const words = at => `${stamp(at).replace("T", " ")} UTC`

// put writes a cell into its element: a picture, a time or a text, and what is said
// beside it. What is there already is not written again: it would be laid out anew.
export function put(element, c) {
  const svg = element.firstElementChild?.localName === "svg" ? element.firstElementChild : null
  if (svg) draw(svg, c)
  if (!says(element, svg, c)) say(element, svg, c)
  if (element.title !== (c.h ?? "")) {
    if (c.h) element.title = c.h
    else element.removeAttribute("title")
  }
  for (const name of ["z", "bad"]) {
    if (element.classList.contains(name) !== (c.c === name)) element.classList.toggle(name)
  }
}

function draw(svg, c) {
  const outlines = (c.d ?? "").split(";")
  for (let path = svg.firstElementChild, i = 0; path; path = path.nextElementSibling, i++) {
    if (path.getAttribute("d") !== (outlines[i] ?? "")) path.setAttribute("d", outlines[i] ?? "")
  }
  if (svg.hasAttribute("role")) svg.setAttribute("aria-label", c.h ?? "")
}

// says reports whether the element has the cell's time or text already.
function says(element, svg, c) {
  const soft = c.s ? ` ${c.s}` : ""
  if (element.childElementCount !== (svg ? 1 : 0) + (c.at ? 1 : 0) + (c.s ? 1 : 0)) return false
  if (!c.at) return element.textContent === (c.t ?? "") + soft
  const time = element.querySelector("time")
  return time?.dateTime === `${stamp(c.at * 1000)}Z` && element.textContent === time.textContent + soft
}

function say(element, svg, c) {
  const text = svg ? svg.nextSibling : element.firstChild
  if (!c.at && !c.s && text?.nodeType === Node.TEXT_NODE && text === element.lastChild) {
    text.data = c.t ?? ""
    return
  }
  const parts = svg ? [svg] : []
  if (c.at) {
    const time = document.createElement("time")
    time.dateTime = `${stamp(c.at * 1000)}Z`
    time.title = words(c.at * 1000)
    time.textContent = age(c.at * 1000)
    parts.push(time)
  } else if (c.t) parts.push(c.t)
  if (c.s) {
    const small = document.createElement("small")
    small.textContent = c.s
    parts.push(" ", small)
  }
  element.replaceChildren(...parts)
}
