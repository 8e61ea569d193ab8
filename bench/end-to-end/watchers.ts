/**
 * `watchers.js ADMIN PAGES SCRAPERS`: reads streams as live pages do, and metrics once a second as scrapers
 * do, until it is ended.
 */
import { Agent, get } from 'node:http';

const [admin, pages, scrapers] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
const scrapeMs = 1000;

let streaming = 0;
for (let i = 0; i < Number(pages); i++) {
  get(`${admin}/api/stream`, { agent: false }, (response) => {
    response.resume();
    if (++streaming === Number(pages)) process.stdout.write('watching\n');
  });
}
for (let i = 0; i < Number(scrapers); i++) {
  setInterval(() => get(`${admin}/metrics`, { agent }, (response) => response.resume()), scrapeMs);
}
