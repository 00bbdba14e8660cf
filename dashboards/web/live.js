// Keeps the page as it would be were it loaded now. Events change the texts of
// cells in place. Real servers that came or went are asked for, those of a service
// at a time; where services did, where rows are no longer in order, and for search
// and order, the page is asked for again and its table put in place of the old one.
// A page that is not looked at listens to no events: a browser has six connections
// to a host, for all of its pages.
import { age, ageOf, agesIn, clock, put, stamp, words } from "./cell.js"
import { ages, follow, fresh, idle, inSight, moved, rowOf, tell } from "./rows.js"

const { body } = document
const base = body.dataset.base
const root = new URL(base || "./", document.baseURI)
const live = document.getElementById("live")
let tick = body.dataset.tick
let seen = Date.now() // when the latest sample was
const opened = new Set() // keys of services whose real servers were asked for

clock(body.dataset.made)
fresh(tick)

function show(e) {
  told?.push(e)
  tick = e.tick
  seen = Date.now()
  clock(e.made)
  const summary = document.getElementById("summary")
  if (summary.textContent !== e.summary) summary.textContent = e.summary // else it would be read out again
  if (base === "") document.title = (e.down ? `${e.down} down · ` : "") + body.dataset.title
  for (const [id, cell] of Object.entries(e.figures ?? {})) {
    const element = document.querySelector(`[data-fig="${id}"]`)
    if (element) put(element, cell)
  }
  partial = e.partial ?? false
  const query = new URLSearchParams(location.search)
  const plain = base === "" && ["q", "state", "sort"].every(name => !query.get(name)) // rows are where the agent has them
  const some = collapsed() && !folded() // of its real servers the page has those that were asked for
  const turned = new Set(plain ? e.moved : []) // services whose real servers are to be asked for
  const sorted = document.querySelector("thead [aria-sort]")?.cellIndex
  let own = e.moved?.some(rowOf) ?? false
  let again = e.shape || document.getElementById("notice").childElementCount > 0 ||
    (base === "" && ((e.moved && !plain) || (location.search === "" && partial !== collapsed())))
  let disorder = partial && sorted > 3 // numbers of real servers, which are left out
  for (const [id, c] of Object.entries(e.rows ?? {})) {
    const there = rowOf(id) !== undefined
    own ||= there
    disorder ||= c.cells?.[sorted] !== undefined
    if (c.state && folded() && id.includes(",")) turned.add(id.slice(0, id.lastIndexOf(",")))
    else if (c.state && (query.get("state") || some || !there)) again = true
  }
  tell(e.rows ?? {}, tick)
  dated(Date.parse(e.tick))
  if (again || (base !== "" && (own || partial)) || turned.size > 20) renew()
  else {
    turned.forEach(unfold)
    if (disorder) renew(5000) // rows that move are hard to read
    followReals()
  }
}

// collapsed says that the page leaves real servers out, and folded that it does so
// of all services: those which are up.
const collapsed = () => body.dataset.collapsed !== undefined
const folded = () => collapsed() && location.search === ""

// followReals asks for what events leave out and the page shows, or only if that is
// in sight.
let partial = false
function followReals(onlyInSight) {
  if (!partial || base !== "" || document.hidden) return
  follow(service => service.rows.length > 1 && (!folded() || opened.has(service.rows[0].dataset.row)), async keys => {
    const answer = await ask(new URL(`api/v1/rows?${new URLSearchParams(keys.map(key => ["key", key]))}`, root), "application/json")
    return answer.json()
  }, onlyInSight)
}

function dated(at) {
  const element = document.getElementById("tick")
  element.dateTime = `${stamp(at)}Z`
  element.textContent = words(at)
}

// renew is refresh for events, which may come every second: not as often, and the
// less so the longer it takes.
let due = 0
let dueAt = 0
let asked = -Infinity
let took = 0
function renew(least = 2000) {
  const at = Math.max(performance.now(), asked + Math.max(least, Math.min(10 * took, 60000)))
  if (due && at >= dueAt) return
  clearTimeout(due)
  dueAt = at
  due = setTimeout(refresh, at - performance.now())
}

// ask is a request that ends, also where a proxy or a sleep swallows the answer.
const ask = (url, type = "text/html") => fetch(url, { headers: { Accept: type }, signal: AbortSignal.timeout(30000) })

// refresh asks for the page again; several wishes at once become one more.
let asking = false
let wanted = false
let told = null // events that came since, while one is under way
async function refresh() {
  if (asking) {
    wanted = true
    return
  }
  clearTimeout(due)
  due = 0
  asking = true
  asked = performance.now()
  told = []
  try {
    const answer = await ask(location.href)
    const now = Date.now()
    const text = await answer.text()
    if (answer.ok) replace(await parsed(text), now)
    else notice(refused(answer, text))
    if (answer.status === 503) renew(5000)
  } catch {
    renew(10000) // that the agent is away, the stream tells
  } finally {
    took = performance.now() - asked
    asking = false
    told = null
    if (wanted) {
      wanted = false
      refresh()
    }
  }
}

// parsed is a page from its text, read when the browser has time for it: with every
// real server of a large table it is long.
async function parsed(text) {
  const page = document.implementation.createHTMLDocument("")
  page.open()
  let until = performance.now() + 20
  for (let at = 0; at < text.length; at += 65536) {
    if (performance.now() >= until) {
      const time = await idle()
      until = performance.now() + time
    }
    page.write(text.slice(at, at + 65536))
  }
  page.close()
  return page
}

// refused is why there is no page, in words.
function refused(answer, text) {
  let why = ""
  if (answer.headers.get("Content-Type")?.includes("json")) why = JSON.parse(text).error
  else if (answer.headers.get("Content-Type")?.includes("html")) why = new DOMParser().parseFromString(text, "text/html").querySelector("#notice .error")?.textContent
  return `What is shown could not be renewed: ${why || `the answer is ${answer.status} ${answer.statusText}`}.`
}

function notice(text) {
  const place = document.getElementById("notice")
  if (place.textContent === text) return // else it would be read out again
  const p = document.createElement("p")
  p.className = "error"
  p.setAttribute("role", "alert")
  p.textContent = text
  place.replaceChildren(p)
}

// holdFocus remembers where within an element the keyboard is, and returns what
// puts it there again when the element has other children.
function holdFocus(within) {
  const focused = document.activeElement
  if (focused === within || !within.contains(focused)) return () => {}
  const column = focused.closest("thead th")?.cellIndex
  const id = focused.closest("tr[data-row]")?.dataset.row
  const href = focused.getAttribute("href")
  return () => {
    let next = null
    if (column !== undefined) next = document.getElementById("table").tHead.rows[1].cells[column]?.querySelector("a")
    else if (href !== null) next = [...within.querySelectorAll("a")].find(a => a.getAttribute("href") === href)
    else if (id) next = rowOf(id)?.querySelector("button") ?? rowOf(id)?.querySelector("a")
    else next = within.querySelector(".scroll")
    next?.focus({ preventScroll: true })
  }
}

// script names the version of this script that a page has.
const script = page => page.querySelector("script[type=module]")?.getAttribute("src")
const version = script(document)

// replace puts in what a page has that was answered at a time.
function replace(page, now) {
  const content = document.getElementById("content")
  const anew = page.getElementById("content")
  if (!content || !anew || script(page) !== version) { // another version of the agent
    location.reload()
    return
  }
  const made = Date.parse(page.body.dataset.tick)
  const later = told.filter(e => Date.parse(e.tick) > made)
  told = null
  if (made < Date.parse(tick) && later.length === 0) {
    renew() // it is not known what happened since
    return
  }
  const focus = holdFocus(content)
  const unfolded = new Map([...opened].filter(rowOf).map(key => [key, [...rowOf(key).parentNode.rows].slice(1)]))
  const scrolled = content.querySelector(".scroll")?.scrollLeft ?? 0
  content.replaceChildren(...anew.childNodes)
  fresh(page.body.dataset.tick)
  content.querySelector(".scroll")?.scrollTo(scrolled, 0)
  for (const id of ["notice", "figures"]) document.getElementById(id)?.replaceChildren(...page.getElementById(id).childNodes)
  document.getElementById("summary").textContent = page.getElementById("summary").textContent
  document.title = page.title
  clock(page.body.dataset.made, now)
  if (tick !== page.body.dataset.tick) seen = Date.now()
  tick = page.body.dataset.tick
  dated(Date.parse(tick))
  body.dataset.interval = page.body.dataset.interval
  if (page.body.dataset.collapsed === undefined) delete body.dataset.collapsed
  else body.dataset.collapsed = ""
  more()
  for (const [key, old] of unfolded) keep(key, old)
  opened.forEach(unfold)
  focus()
  later.forEach(show)
}

// keep shows the real servers that were asked for as they were until there are
// others, for the page is not to jump.
function keep(key, old) {
  const service = rowOf(key)
  if (!service || !collapsed()) return
  service.querySelector("button")?.remove()
  service.parentNode.replaceChildren(service, ...old)
  moved()
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

// unfold asks for the real servers of a service: all where it was opened or nothing
// is left out, else those that are not up.
async function unfold(key) {
  const answer = await ask(new URL(`service/${key}?rows=1`, root)).catch(() => null)
  const text = answer?.ok ? await answer.text() : ""
  const service = rowOf(key)
  if (!answer?.ok) renew(5000)
  if (!answer?.ok || !service) return
  const reals = document.createElement("template")
  reals.innerHTML = text
  const focus = holdFocus(service.parentNode)
  service.querySelector("button")?.remove()
  if (collapsed() && !opened.has(key)) {
    const up = reals.content.querySelectorAll("tr.up")
    up.forEach(tr => tr.remove())
    if (up.length > 0) service.cells[0].append(opener(key, `${up.length} more`))
  }
  service.parentNode.replaceChildren(service, reals.content)
  moved()
  focus()
}

// Search, filter and order without loading the page anew.
const form = document.getElementById("query")
if (form) {
  let timer
  let shown = location.search
  const go = (how, url) => {
    history[how](null, "", url)
    shown = location.search
    refresh()
  }
  const search = () => {
    const asked = new URLSearchParams(location.search)
    for (const name of ["q", "state"]) {
      if (form.elements[name].value) asked.set(name, form.elements[name].value)
      else asked.delete(name)
    }
    go("replaceState", `${asked}` ? `?${asked}` : location.pathname)
  }
  form.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(search, 200)
  })
  form.addEventListener("submit", event => {
    event.preventDefault()
    clearTimeout(timer)
    search()
  })
  document.getElementById("content").addEventListener("click", event => {
    const link = event.target.closest("thead a")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    go("pushState", link.href)
  })
  addEventListener("popstate", () => {
    if (location.search !== shown) location.reload() // else it went to a place of this page
  })
  more()
}

let stream = null
function listen() {
  if (stream || document.hidden) return
  const mine = stream = new EventSource(new URL(`api/v1/events?since=${tick ?? ""}`, root))
  mine.addEventListener("hello", event => {
    const e = JSON.parse(event.data)
    clock(e.made)
    // What was sampled while nobody listened.
    if (e.tick === tick) return
    if (tick) refresh()
    else location.reload()
  })
  mine.addEventListener("change", event => {
    if (tick) show(JSON.parse(event.data))
    else location.reload()
  })
  mine.addEventListener("error", () => {
    if (mine.readyState !== EventSource.CLOSED || mine !== stream) return // it tries again by itself
    stream = null
    renew(10000) // as many as may be are listening: it is asked then
    setTimeout(listen, 10000)
  })
}

function leave() {
  stream?.close()
  stream = null
}
addEventListener("pagehide", leave)
addEventListener("pageshow", listen)
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return leave()
  seen = Date.now()
  listen()
})
// The title tells what is down, which is seen of other tabs as well.
if (base === "") setInterval(() => { if (document.hidden) refresh() }, 60000)

// Every second ages are a second more, and it may be that no sample comes.
let tried = -Infinity
function second() {
  const others = document.getElementById(base === "" ? "figures" : "content")
  if (others) agesIn(others)
  ages()
  followReals()
  const seconds = Math.round((Date.now() - seen) / 1000)
  const late = !document.hidden && seconds > 3 * Number(body.dataset.interval ?? 10) + 2
  live.className = late ? "late" : ""
  const text = late ? `no new sample for ${ageOf(seconds)}` : `live, ${age(Date.parse(document.getElementById("tick").dateTime))} old`
  if (live.textContent !== text) live.textContent = text
  if (late && performance.now() - tried > 30000) {
    tried = performance.now()
    refresh() // which tells what the agent knows of it
    leave() // the connection may be dead without anybody knowing
    listen()
  }
}

// What comes into sight is to be of now.
let scrolled = 0
addEventListener("scroll", () => {
  scrolled ||= setTimeout(() => {
    scrolled = 0
    inSight()
    followReals(true)
  }, 150)
}, { capture: true, passive: true })

listen()
if (live) setInterval(second, 1000)
