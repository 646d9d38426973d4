/** What MongoDB answers who asks for the search service where there is none. */
const NEEDS =
  "requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable. For more " +
  "information on how to connect, see https://dochub.mongodb.org/core/atlas-cli-deploy-local-reqs.";

export const NO_SEARCH_INDEXES =
  `Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage ${NEEDS}`;
export const NO_SEARCH = `Using $search and $vectorSearch aggregation stages ${NEEDS}`;
