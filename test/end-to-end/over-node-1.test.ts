import { runShareOverNode } from '../support/over-node.js';

runShareOverNode(0);
