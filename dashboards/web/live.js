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

const rowOf = id => document.querySelector(`tr[data-row="${CSS.escape(id)}"]`)

function change(id, c) {
  const tr = rowOf(id)
  if (!tr) return false
  if (c.state) tr.className = `${tr.classList[0]} ${c.state}`
  for (const [i, text] of Object.entries(c.cells ?? {})) tr.cells[i].textContent = text
  if (c.spark) {
    const path = tr.querySelector("svg path")
    if (!path) return false
    path.setAttribute("d", c.spark)
    path.parentNode.setAttribute("aria-label", `at most ${c.peak} B/s`)
  }
  return true
}

function show(e) {
  tick = e.tick
  seen = Date.now()
  document.getElementById("summary").textContent = e.summary
  document.getElementById("tick").textContent = `${e.tick.slice(0, 19).replace("T", " ")} UTC`
  const filtered = new URLSearchParams(location.search).get("state")
  let again = e.shape
  for (const [id, c] of Object.entries(e.rows ?? {})) {
    const there = change(id, c)
    if (c.state && (filtered || !there)) again = true
    if (c.spark && there === false && rowOf(id)) again = true
  }
  if (again || (e.partial && base !== "")) renew()
  else if (e.partial) opened.forEach(open)
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
  const focused = content.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null
  const scrolled = content.querySelector(".scroll")?.scrollLeft ?? 0
  content.replaceChildren(...anew.childNodes)
  content.querySelector(".scroll")?.scrollTo(scrolled, 0)
  for (const id of ["summary", "tick"]) document.getElementById(id).textContent = page.getElementById(id).textContent
  tick = page.body.dataset.tick
  more()
  opened.forEach(open)
  if (focused) [...content.querySelectorAll("a")].find(a => a.getAttribute("href") === focused)?.focus()
}

// more makes buttons of the notes that real servers were left out.
function more() {
  for (const note of document.querySelectorAll("small[data-more]")) {
    const key = note.closest("tr").dataset.row
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = note.textContent
    button.addEventListener("click", () => {
      opened.add(key)
      open(key)
    })
    note.replaceWith(button)
  }
}

async function open(key) {
  const answer = await fetch(new URL(`service/${key}?rows=1`, root)).catch(() => null)
  const service = rowOf(key)
  if (!answer?.ok || !service) return
  const rows = document.createElement("template")
  rows.innerHTML = await answer.text()
  service.querySelector("button")?.remove()
  const focused = service.parentNode.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null
  service.parentNode.replaceChildren(service, rows.content)
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

function age() {
  const seconds = Math.round((Date.now() - seen) / 1000)
  const late = seconds > 3 * Number(body.dataset.interval ?? 10) + 2
  live.className = late ? "late" : ""
  live.textContent = late ? `no new sample for ${seconds} s` : "live"
}

listen()
if (live) setInterval(age, 1000)
