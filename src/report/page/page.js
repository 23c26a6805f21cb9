// Keeps the page as the agent says it is: takes each new <main> that comes, and puts in the parts that changed. Without it the page is whole,
// and is loaded anew every few seconds.
(() => {
  'use strict';
  const root = document.documentElement;
  const main = document.getElementById('main');
  const said = document.getElementById('said');
  const lost = document.getElementById('lost');
  root.classList.add('js');

  // What somebody is just selecting is not taken from under the pointer.
  const selected = (part) => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  };
  const take = (html) => {
    const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById('main');
    if (!fresh) return;
    for (const part of [...fresh.children]) {
      const old = document.getElementById(part.id);
      if (!old || selected(old) || old.outerHTML === part.outerHTML) continue;
      const focus = old.contains(document.activeElement) && document.activeElement.id;
      old.replaceWith(part);
      if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    }
    if (main.dataset.headline !== fresh.dataset.headline) said.textContent = fresh.dataset.headline;
    main.dataset.headline = fresh.dataset.headline;
    document.title = fresh.dataset.title;
  };

  let silence;
  let broken;
  const missed = () => { lost.hidden = false; };
  const heard = () => {
    clearTimeout(silence);
    clearTimeout(broken);
    broken = undefined;
    silence = setTimeout(missed, 30000);
    lost.hidden = true;
  };
  const follow = () => {
    const source = new EventSource('events?lang=' + root.lang);
    source.onopen = heard;
    source.onmessage = (event) => { heard(); take(event.data); };
    source.onerror = () => {
      // It comes back by itself, unless it was turned away: then too many listen already, and asking now and then must do.
      if (source.readyState === EventSource.CLOSED) { poll(6); return; }
      broken ??= setTimeout(missed, 3000);
    };
  };
  const poll = async (times) => {
    try {
      const answer = await fetch(location.href);
      if (answer.ok) { heard(); take(await answer.text()); }
    } catch { missed(); }
    setTimeout(() => (times > 0 ? poll(times - 1) : follow()), 10000);
  };
  follow();

  const copy = async (text, from) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* Only secure contexts have it. */ }
    getSelection().selectAllChildren(from);
    return document.execCommand('copy');
  };
  document.addEventListener('click', async ({ target }) => {
    const from = document.getElementById(target.dataset?.of);
    if (!from || !(await copy(from.textContent, from))) return;
    const label = target.textContent;
    target.textContent = target.dataset.done;
    said.textContent = target.dataset.done;
    setTimeout(() => { target.textContent = label; }, 2000);
  });
})();
