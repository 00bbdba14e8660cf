// Keeps the page as it would be were it loaded now. Events change the texts of
// cells in place; where rows came or went, and for search and order, the page is
// asked for again and its table put in place of the old one.
const { body } = document
const base = body.dataset.base
const root = new URL(base || "./", document.baseURI)
const live = document.getElementById("live")
let tick = body.dataset.tick
let seen = Date.now() // when the latest sample was
const opened = new Set() // keys of services whose real servers were asked for

// rows are those of the page by their names; null where it has changed since.
let rows = null
function rowOf(id) {
  rows ??= new Map(Array.from(document.querySelectorAll("tr[data-row]"), tr => [tr.dataset.row, tr]))
  return rows.get(id)
}

// Ages count by the agent's clock, which this one may differ from.
const ahead = (Date.parse(body.dataset.made) || Date.now()) - Date.now()

// age writes how long ago a time was; the server writes the same.
function age(at) {
  const s = Math.max(Math.floor((Date.now() + ahead - at) / 1000), 0)
  const two = (n, unit, m, lesser) => m > 0 ? `${n} ${unit} ${m} ${lesser}` : `${n} ${unit}`
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min")
  return two(Math.floor(s / 86400), "d", s < 7 * 86400 ? Math.floor(s % 86400 / 3600) : 0, "h")
}

const stamp = at => new Date(at).toISOString().slice(0, 19)
const words = at => `${stamp(at).replace("T", " ")} UTC`

// put writes a cell into its element, as the server does: a picture, a time or a
// text, and what is said beside it.
function put(element, c) {
  const svg = element.firstElementChild?.localName === "svg" ? element.firstElementChild : null
  if (svg) {
    const outlines = (c.d ?? "").split(";")
    for (const [i, path] of [...svg.children].entries()) path.setAttribute("d", outlines[i] ?? "")
    if (svg.hasAttribute("role")) svg.setAttribute("aria-label", c.h ?? "")
  }
  const text = svg ? svg.nextSibling : element.firstChild
  if (!c.at && !c.s && text?.nodeType === Node.TEXT_NODE && text === element.lastChild) {
    if (text.data !== (c.t ?? "")) text.data = c.t ?? ""
  } else {
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
  if (c.h) element.title = c.h
  else element.removeAttribute("title")
  for (const name of ["z", "bad"]) element.classList.toggle(name, c.c === name)
}

function change(id, c) {
  const tr = rowOf(id)
  if (!tr) return false
  if (c.state) tr.className = `${tr.classList[0]} ${c.state}`
  for (const [i, cell] of Object.entries(c.cells ?? {})) put(tr.cells[i], cell)
  return true
}

function show(e) {
  tick = e.tick
  seen = Date.now()
  const summary = document.getElementById("summary")
  if (summary.textContent !== e.summary) summary.textContent = e.summary // else it would be read out again
  if (base === "") document.title = (e.down ? `${e.down} down · ` : "") + body.dataset.title
  for (const [id, cell] of Object.entries(e.figures ?? {})) {
    const element = document.querySelector(`[data-fig="${id}"]`)
    if (element) put(element, cell)
  }
  const filtered = new URLSearchParams(location.search).get("state")
  const folded = body.dataset.collapsed !== undefined && location.search === ""
  const moved = new Set(e.partial ? opened : []) // services whose real servers are to be asked for
  let again = e.shape || document.getElementById("notice").childElementCount > 0
  let own = false
  for (const [id, c] of Object.entries(e.rows ?? {})) {
    const there = change(id, c)
    own ||= there
    if (c.state && folded && id.includes(",")) moved.add(id.slice(0, id.lastIndexOf(",")))
    else if (c.state && (filtered || !there)) again = true
  }
  dated(Date.parse(e.tick))
  if (again || (base !== "" && (own || e.partial)) || (e.partial && unfolded()) || moved.size > opened.size + 20) renew()
  else moved.forEach(unfold)
}

function dated(at) {
  const element = document.getElementById("tick")
  element.dateTime = `${stamp(at)}Z`
  element.textContent = words(at)
}

// unfolded reports whether the page, though of a large table, has real servers
// that no event tells of: it shows few, for it is asked for some services only.
function unfolded() {
  return body.dataset.collapsed === undefined && document.getElementById("table").rows.length < 1000
}

// renew is refresh for events, which may come every second: not as often.
let due = 0
let asked = 0
function renew() {
  due ||= setTimeout(() => {
    due = 0
    asked = Date.now()
    refresh()
  }, Math.max(0, asked + 2000 - Date.now()))
}

// refresh asks for the page again; several wishes at once become one more.
let asking = false
let wanted = false
async function refresh() {
  if (asking) {
    wanted = true
    return
  }
  asking = true
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } })
    if (!answer.ok) return
    replace(new DOMParser().parseFromString(await answer.text(), "text/html"))
  } catch {
    // the stream tells that the agent is away
  } finally {
    asking = false
    if (wanted) {
      wanted = false
      refresh()
    }
  }
}

function replace(page) {
  const content = document.getElementById("content")
  const anew = page.getElementById("content")
  if (!content || !anew) {
    location.reload()
    return
  }
  if (Date.parse(page.body.dataset.tick) < Date.parse(tick)) {
    renew() // an event was faster
    return
  }
  const focused = content.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null
  const scrolled = content.querySelector(".scroll")?.scrollLeft ?? 0
  content.replaceChildren(...anew.childNodes)
  rows = null
  content.querySelector(".scroll")?.scrollTo(scrolled, 0)
  for (const id of ["notice", "figures"]) document.getElementById(id)?.replaceChildren(...page.getElementById(id).childNodes)
  document.getElementById("summary").textContent = page.getElementById("summary").textContent
  document.title = page.title
  tick = page.body.dataset.tick
  dated(Date.parse(tick))
  if (page.body.dataset.collapsed === undefined) delete body.dataset.collapsed
  else body.dataset.collapsed = ""
  more()
  opened.forEach(unfold)
  if (focused) [...content.querySelectorAll("a")].find(a => a.getAttribute("href") === focused)?.focus()
}

// more makes buttons of the notes that real servers were left out.
function more() {
  for (const note of document.querySelectorAll("small[data-more]")) note.replaceWith(opener(note.closest("tr").dataset.row, note.textContent))
}

function opener(key, text) {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = text
  button.addEventListener("click", () => {
    opened.add(key)
    unfold(key)
  })
  return button
}

// unfold asks for the real servers of a service: all where it was opened, else
// those that are not up.
async function unfold(key) {
  const answer = await fetch(new URL(`service/${key}?rows=1`, root)).catch(() => null)
  const text = answer?.ok ? await answer.text() : ""
  const service = rowOf(key)
  if (!answer?.ok || !service) return
  const reals = document.createElement("template")
  reals.innerHTML = text
  service.querySelector("button")?.remove()
  if (!opened.has(key)) {
    const up = reals.content.querySelectorAll("tr.up")
    up.forEach(tr => tr.remove())
    if (up.length > 0) service.cells[0].append(opener(key, `${up.length} more`))
  }
  const focused = service.parentNode.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null
  service.parentNode.replaceChildren(service, reals.content)
  rows = null
  if (focused) [...service.parentNode.querySelectorAll("a")].find(a => a.getAttribute("href") === focused)?.focus()
}

// Search, filter and order without loading the page anew.
const form = document.getElementById("query")
if (form) {
  let timer
  const ask = () => {
    const asked = new URLSearchParams(location.search)
    for (const name of ["q", "state"]) {
      if (form.elements[name].value) asked.set(name, form.elements[name].value)
      else asked.delete(name)
    }
    history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname)
    refresh()
  }
  form.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(ask, 200)
  })
  form.addEventListener("submit", event => {
    event.preventDefault()
    clearTimeout(timer)
    ask()
  })
  document.getElementById("content").addEventListener("click", event => {
    const link = event.target.closest("thead a")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    history.pushState(null, "", link.href)
    refresh()
  })
  addEventListener("popstate", () => location.reload())
  more()
}

function listen() {
  const stream = new EventSource(new URL("api/v1/events", root))
  stream.addEventListener("hello", event => {
    // What was sampled while nobody listened.
    if (JSON.parse(event.data).tick === tick) return
    if (tick) refresh()
    else location.reload()
  })
  stream.addEventListener("change", event => {
    if (tick) show(JSON.parse(event.data))
    else location.reload()
  })
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return // it tries again by itself
    setTimeout(listen, 10000)
  })
  addEventListener("pagehide", () => stream.close(), { once: true })
}

// Every second ages are a second more, and it may be that no sample comes.
let late = false
function second() {
  for (const time of document.querySelectorAll("#content time, #figures time")) {
    const text = age(Date.parse(time.dateTime))
    if (time.firstChild.data !== text) time.firstChild.data = text
  }
  const seconds = Math.round((Date.now() - seen) / 1000)
  const before = late
  late = seconds > 3 * Number(body.dataset.interval ?? 10) + 2
  live.className = late ? "late" : ""
  const text = late ? `no new sample for ${age(Date.now() + ahead - seconds * 1000)}` : `live, ${age(Date.parse(document.getElementById("tick").dateTime))} old`
  if (live.textContent !== text) live.textContent = text
  if (late && !before) refresh() // which tells what the agent knows of it
}

listen()
if (live) setInterval(second, 1000)
