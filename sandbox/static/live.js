// Shows every moment in the browser's own time zone, and keeps the open page up to
// date: every other second the page is fetched again and each [data-live] part that
// changed is put in place. A part in which somebody is typing, or an element that has
// the focus, is left alone until the next round.
(() => {
    "use strict";
    const PAUSE = 2000; // milliseconds
    const CLOCK = { hour: "numeric", minute: "2-digit", second: "2-digit" };
    const DAY = { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" };
    const FULL = { dateStyle: "long", timeStyle: "long" };

    const localize = (root) => {
        const today = new Date().toDateString();
        for (const element of root.querySelectorAll("time[datetime]")) {
            const moment = new Date(element.dateTime);
            const isToday = moment.toDateString() === today;
            const format = isToday ? CLOCK : DAY;
            element.textContent = moment.toLocaleString([], format);
            element.title = moment.toLocaleString([], FULL);
        }
    };
    localize(document);

    const parts = () => document.querySelectorAll("[data-live]");
    if (!parts().length) return;

    const isBusy = (part) => {
        const active = document.activeElement;
        const typed = [...part.querySelectorAll("input")].some((input) => input.value);
        return typed || (part.contains(active) && active.matches("input"));
    };

    const refresh = async () => {
        const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
        if (!answer.ok) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        localize(fresh);
        for (const part of parts()) {
            const news = fresh.getElementById(part.id);
            if (!news || news.innerHTML === part.innerHTML || isBusy(part)) continue;
            const focused =
                part.contains(document.activeElement) && document.activeElement;
            part.innerHTML = news.innerHTML;
            if (!focused) continue;
            const href = focused.getAttribute("href");
            const same = focused.id
                ? document.getElementById(focused.id)
                : href && part.querySelector(`a[href="${CSS.escape(href)}"]`);
            if (same) same.focus();
        }
    };

    const tick = async () => {
        if (document.visibilityState === "visible") {
            try {
                await refresh();
            } catch {
                // The sandbox is away; it may come back.
            }
        }
        setTimeout(tick, PAUSE);
    };
    setTimeout(tick, PAUSE);
})();
