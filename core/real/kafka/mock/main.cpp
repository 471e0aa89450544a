// rushproof-kafka-mock FILE: librdkafka's mock cluster in a process of its own, for machines where
// no Apache Kafka can be had.  Writes its addresses into FILE once it listens, and ends by a
// signal. Memory only, 5 MB a partition, no transactions, topics made by whoever asks for them.
#include <librdkafka/rdkafka.h>
// After rdkafka.h, which it lacks.
#include <librdkafka/rdkafka_mock.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

constexpr int broker_count = 3;

int serve(const std::filesystem::path& file) {
    char error[512] = {};
    rd_kafka_t* const client =
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error);
    if (client == nullptr) {
        std::fprintf(stderr, "rushproof-kafka-mock: %s\n", error);
        return 1;
    }
    rd_kafka_mock_cluster_t* const cluster = rd_kafka_mock_cluster_new(client, broker_count);
    const std::filesystem::path written = file.string() + ".new";
    std::ofstream(written) << rd_kafka_mock_cluster_bootstraps(cluster) << '\n';
    std::error_code renamed;
    std::filesystem::rename(written, file, renamed);
    if (renamed) {
        std::fprintf(stderr, "rushproof-kafka-mock: %s: %s\n", file.c_str(),
                     renamed.message().c_str());
        return 1;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    int number = 0;
    sigwait(&ends, &number);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: rushproof-kafka-mock FILE\n");
        return 2;
    }
    // Before librdkafka's threads, which inherit it.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    return serve(arguments[1]);
}
